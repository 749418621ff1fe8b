import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.engines.base import ROW
from facestream.engines.bundle import Bundle
from facestream.engines.onnx_hops import HOPS, OnnxHopEngine
from facestream.errors import BundleError
from facestream_models.corpus.coarticulation import CURVE, CURVES
from facestream_models.export.bundle import write_bundle
from facestream_models.export.onnx import LiveGraph, curves_to_motion
from tests.live.tiny import TINY, tiny_network

ROWS = (*(f"expression_{n:02d}" for n in range(50)), "jaw_x", "jaw_y", "jaw_z", "left_eye_x", "tongueOut")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    random = np.random.default_rng(0)
    profile = folder / "rig_profile.npz"
    matrix = random.standard_normal((len(ROWS), len(ARKIT_NAMES))).astype(np.float32)
    np.savez(profile, arkit_to_motion=matrix, row_names=np.array(ROWS), head_digest=np.array("0" * 64))
    network = tiny_network()
    bundle = write_bundle(network, profile, folder / "live", version="0.1", training={"step": 1}, card="# Card\n")
    session = onnxruntime.InferenceSession(str(bundle.graph_path), providers=["CPUExecutionProvider"])
    return network, profile, bundle, session


def run(session, pcm, state):
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"pcm": pcm, **state}), strict=True))
    return (
        found["motion"],
        found["phone"],
        {name.removeprefix("next_"): found[name] for name in names if "next_" in name},
    )


def fresh(bundle, rows):
    return {spec.name: np.zeros((rows, *spec.shape), np.float32) for spec in bundle.live.states}


@pytest.mark.parametrize(("rows", "hops"), [(1, 1), (3, 2), (2, 31), (17, 1)])
def test_the_graph_gives_what_torch_gives(made, rows, hops):
    network, profile, bundle, session = made
    pcm = 0.3 * np.random.default_rng(2).standard_normal((rows, 640 * hops)).astype(np.float32)
    graph = LiveGraph(network, curves_to_motion(profile))
    with torch.no_grad():
        motion, phone, *states = graph(torch.from_numpy(pcm), list(network.fresh_state(rows).values()))
    found_motion, found_phone, found_states = run(session, pcm, fresh(bundle, rows))
    np.testing.assert_allclose(found_motion, motion, atol=1e-5)
    np.testing.assert_allclose(found_phone, phone, atol=1e-5)
    for name, state in zip(graph.state_names, states, strict=True):
        np.testing.assert_allclose(found_states[f"state_{name}"], state, atol=1e-5)


def test_streamed_graph_equals_whole_graph(made):
    _, _, bundle, session = made
    pcm = 0.3 * np.random.default_rng(3).standard_normal((2, 640 * 30)).astype(np.float32)
    whole, _, _ = run(session, pcm, fresh(bundle, 2))
    state, pieces, position = fresh(bundle, 2), [], 0
    for hops in (1, 1, 2, 7, 1, 18):
        motion, _, state = run(session, pcm[:, 640 * position : 640 * (position + hops)], state)
        pieces.append(motion)
        position += hops
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)


def test_hop_by_hop_the_small_graph_says_the_same(made):
    _, _, bundle, session = made
    engine = OnnxHopEngine(bundle, bundle.live.hop_graph)
    pcm = 0.3 * np.random.default_rng(4).standard_normal((2, 640 * 20)).astype(np.float32)
    whole, _, _ = run(session, pcm, fresh(bundle, 2))
    state = {ROW: np.array([7, 2], np.float32), HOPS: np.zeros(2, np.float32)}
    for hop in range(20):
        output = engine.step(pcm[:, 640 * hop : 640 * (hop + 1)], state)
        state = output.next_state
        np.testing.assert_allclose(output.motion, whole[:, 2 * hop : 2 * hop + 2], atol=1e-5)


def test_a_curve_without_side_moves_both_sides(made):
    _, profile, _, _ = made
    with np.load(profile) as stored:
        matrix = stored["arkit_to_motion"]
    motion = np.eye(len(CURVES), dtype=np.float32) @ curves_to_motion(profile)
    assert motion.shape == (len(CURVES), 54)
    smile = matrix[:, INDEX["mouthSmileLeft"]] + matrix[:, INDEX["mouthSmileRight"]]
    np.testing.assert_allclose(motion[CURVE["mouthSmile"], :53], smile[:53], rtol=1e-5)
    np.testing.assert_allclose(motion[CURVE["tongueOut"], 53], matrix[54, INDEX["tongueOut"]], rtol=1e-5)


def test_a_profile_without_jaw_is_refused(tmp_path):
    np.savez(tmp_path / "p.npz", arkit_to_motion=np.zeros((2, 52), np.float32), row_names=np.array(["a", "b"]))
    with pytest.raises(ValueError, match="build the head's profile again"):
        curves_to_motion(tmp_path / "p.npz")


def test_the_manifest_states_what_the_network_needs(made):
    network, _, bundle, _ = made
    manifest = bundle.manifest
    assert manifest.lookahead_samples == TINY.lookahead_samples
    assert manifest.outputs.extras == ["tongueOut"]
    assert [spec.name for spec in manifest.states] == [f"state_{name}" for name in network.fresh_state(1)]
    assert json.loads((bundle.folder / "manifest.json").read_text())["training"] == {"step": 1}


def test_the_graph_names_no_folder_of_its_maker(made):
    _, _, bundle, _ = made
    model = onnx.load(bundle.graph_path)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert b"site-packages" not in bundle.graph_path.read_bytes()


def test_large_weights_are_stored_in_half_the_bytes_without_changing_a_value(made):
    network, _, bundle, _ = made
    stored = {t.name: t for t in onnx.load(bundle.graph_path).graph.initializer}
    assert any(t.data_type == onnx.TensorProto.FLOAT16 for t in stored.values())
    for weight in network.parameters():
        if weight.ndim > 1:
            assert torch.equal(weight.half().float(), weight)


def test_a_changed_graph_is_noticed(made, tmp_path):
    _, _, bundle, _ = made
    for path in bundle.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    graph = tmp_path / "live.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match="SHA-256"):
        Bundle.open(tmp_path)
