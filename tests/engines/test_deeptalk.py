import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facestream.engines.bundle import Bundle
from facestream.engines.deeptalk import DeepTalkGraphs
from facestream.errors import BundleError
from facestream.serving.pipelines import open_pipeline
from tests.engines.tiny_deeptalk import CODE, CODES, HOP, WIDTH, write_tiny_deeptalk


def test_a_whole_bundle_opens_and_tells_its_facts(tmp_path: Path) -> None:
    model = Bundle.open(write_tiny_deeptalk(tmp_path)).model
    assert (model.name, model.family, model.hop_samples, model.ahead_samples) == (
        "tiny-deeptalk",
        "deeptalk",
        2560,
        5120,
    )
    assert model.motion_size == 53
    assert model.abilities is not None
    assert list(model.abilities.presets) == ["neutral", "happy", "sad"]
    for emotion in model.abilities.presets.values():
        np.testing.assert_allclose(np.linalg.norm(emotion.mean), 1.0, atol=1e-6)


@pytest.mark.parametrize("hears_hops", [True, False])
def test_the_graphs_take_any_number_of_codes_and_obey_noise(tmp_path: Path, hears_hops: bool) -> None:
    graphs = DeepTalkGraphs(Bundle.open(write_tiny_deeptalk(tmp_path, hears_hops=hears_hops)))
    random = np.random.default_rng(0)
    for rows, codes in ((1, 1), (3, 7)):
        speech = pcm = (0.1 * random.standard_normal((rows, codes * CODE))).astype(np.float32)
        mean, log_variance = graphs.hear(pcm)
        assert mean.shape == log_variance.shape == (rows, WIDTH)
        if hears_hops:
            speech = graphs.listen(pcm, fresh(graphs, rows))[0].content
        noise = np.zeros((rows, 2 * codes, CODES), np.float32)
        speaker = np.eye(3, dtype=np.float32)[np.zeros(rows, int)]
        moved = graphs.move(speech, mean, speaker, noise[:, :codes], noise)
        assert moved.motion.shape == (rows, 4 * codes, 53)
        noise[:, -1, 5] = 1e6
        forced = graphs.move(speech, mean, speaker, noise[:, :codes], noise)
        np.testing.assert_array_equal(forced.top, moved.top)
        assert np.abs(forced.motion - moved.motion)[:, -2:].max() > 0


def test_words_heard_hop_by_hop_are_those_heard_at_once(tmp_path: Path) -> None:
    graphs = DeepTalkGraphs(Bundle.open(write_tiny_deeptalk(tmp_path)))
    pcm = (0.1 * np.random.default_rng(1).standard_normal((2, 12 * HOP))).astype(np.float32)
    whole, at_the_end = graphs.listen(pcm, fresh(graphs, 2))
    assert [part.shape for part in whole] == [(2, 12, graphs.content_width), (2, 24, 3)]
    state, parts = fresh(graphs, 2), []
    for samples in np.split(pcm, [HOP, 3 * HOP, 8 * HOP], axis=1):
        words, state = graphs.listen(np.ascontiguousarray(samples), state)
        parts.append(words)
    for together, apart in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_allclose(np.concatenate(apart, axis=1), together, atol=1e-6)
    np.testing.assert_allclose(state["state_sound"], at_the_end["state_sound"], atol=1e-6)
    forgetful, _ = graphs.listen(np.ascontiguousarray(pcm[:, HOP:]), fresh(graphs, 2))
    assert np.abs(forgetful.content[:, 0] - whole.content[:, 1]).max() > 1e-3, "the state matters"


def fresh(graphs: DeepTalkGraphs, rows: int) -> dict[str, np.ndarray]:
    return {name: np.zeros((rows, *shape), np.float32) for name, shape in graphs.state_shapes.items()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"family": "other"}, "family: found 'other'; expected one of live, deeptalk"),
        ({"speakers": []}, "speakers: found"),
        ({"speakers": ["a", "a"]}, "a speaker is named twice"),
        ({"motion_rate": "30/1"}, "a code has 4 frames at 25/1 Hz"),
        ({"code_samples": 1280}, "code_samples: found 1280"),
        ({"longest_samples": 2560 * 32 + 1}, "longest_samples: found"),
        ({"window": {"past_codes": 4, "ahead_codes": 0}}, r"window\.ahead_codes: found 0"),
        ({"presets": "other.npz"}, "no entry for the presets 'other.npz'"),
        ({"profile": "rig_profile.npz"}, "no entry for the profile 'rig_profile.npz'"),
        ({"graphs": []}, "graphs: found"),
        ({"outputs": {"expression": 50, "jaw": 3, "extras": ["tongueOut"]}}, "gives expression and jaw only"),
    ],
)
def test_each_wrong_manifest_gives_one_line_that_names_it(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    folder = write_tiny_deeptalk(tmp_path, changes=changes)
    with pytest.raises(BundleError, match=said) as caught:
        Bundle.open(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_graphs_other_than_promised_are_refused(tmp_path: Path) -> None:
    folder = write_tiny_deeptalk(tmp_path)
    path = folder / "manifest.json"
    whole = json.loads(path.read_text())
    for change, said in (
        (lambda told: told["graphs"][1]["inputs"].update(actor=["B", 5]), "found inputs .* expected"),
        (lambda told: told["graphs"][1]["inputs"].pop("actor"), "found no graph with inputs"),
        (lambda told: told["graphs"][0]["outputs"].pop("log_variance"), "found no graph with inputs"),
        (lambda told: told["graphs"].pop(2), "found no graph with inputs"),
        (lambda told: told["graphs"][2]["inputs"].update(state_sound=["B", 3, 8]), "expected both alike"),
        (lambda told: told["graphs"][2]["outputs"].pop("next_state_sound"), "expected both alike"),
        (lambda told: told["phone_classes"].clear(), "found 0 phone_classes"),
    ):
        told = json.loads(json.dumps(whole))
        change(told)
        path.write_text(json.dumps(told))
        with pytest.raises(BundleError, match=said):
            DeepTalkGraphs(Bundle.open(folder))


def test_presets_that_can_not_be_used_are_refused(tmp_path: Path) -> None:
    folder = write_tiny_deeptalk(tmp_path)
    path, presets = folder / "manifest.json", folder / "presets.npz"
    good = np.ones((1, WIDTH), np.float32)
    for names, mean, said in (
        (["one"], np.ones((1, 4), np.float32), "expected 6 values each"),
        (["one", "one"], np.ones((2, WIDTH), np.float32), "a name stands twice"),
        (["speech"], good, "a name stands twice or is 'speech'"),
        (["one"], good * np.nan, "finite values"),
        (["one"], good * 0, "any length but zero"),
    ):
        np.savez(presets, names=np.array(names), mean=mean, log_variance=np.zeros_like(mean))
        told = json.loads(path.read_text())
        told["files"]["presets.npz"] = hashlib.sha256(presets.read_bytes()).hexdigest()
        path.write_text(json.dumps(told))
        with pytest.raises(BundleError, match=said):
            _ = Bundle.open(folder).model


def test_a_bundle_without_a_head_or_of_another_gives_no_faces(tmp_path: Path) -> None:
    bare = write_tiny_deeptalk(tmp_path / "bare", changes={"head_digest": None})
    with pytest.raises(BundleError, match="convert again with --flame"):
        open_pipeline(str(bare))
    other = write_tiny_deeptalk(tmp_path / "other", changes={"head_digest": "0" * 64})
    with pytest.raises(BundleError, match="made for head"):
        open_pipeline(str(other))
