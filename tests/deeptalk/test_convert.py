"""`facestream models convert deeptalk` as its user meets it, from a checkpoint of the released size."""

import gc
import json
import re

import numpy as np
import onnxruntime
import pytest
import torch

from facestream.errors import BundleError, InvalidValue
from facestream.retarget.profile import load_profile, shipped_profile_path
from facestream_models.deeptalk.command import main
from facestream_models.deeptalk.convert import ACTORS
from facestream_models.flame.head import Head, load_head
from facestream_models.flame.release import EXPRESSIONS, TRIANGLES, VERTICES, check_flame_2020
from facestream_models.flame.synthetic_head import synthetic_head
from facestream_models.released.folder import sha256
from tests.deeptalk.golden import KEYS


def run(*arguments):
    main([str(argument) for argument in arguments], "facestream models convert deeptalk")


def plain_head(vertices=VERTICES, triangles=TRIANGLES, expressions=EXPRESSIONS):
    random = np.random.default_rng(0)
    return Head(
        template=random.standard_normal((vertices, 3)).astype(np.float32),
        triangles=random.integers(0, vertices, (triangles, 3)),
        shape_dirs=np.zeros((vertices, 3, 1), np.float32),
        expression_dirs=random.standard_normal((vertices, 3, expressions)).astype(np.float32),
        joint_regressor=np.full((5, vertices), 1 / vertices, np.float32),
        skinning=np.full((vertices, 5), 0.2, np.float32),
    )


def write_flame(path, head):
    shape = np.zeros((head.vertex_count, 3, 300), np.float32)
    np.savez(
        path,
        v_template=head.template,
        f=head.triangles.astype(np.uint32),
        shapedirs=np.concatenate([shape, head.expression_dirs], axis=2),
        J_regressor=head.joint_regressor,
        weights=head.skinning,
    )
    return path


def test_the_actors_are_the_32_of_the_one_hot():
    assert len(ACTORS) == len(set(ACTORS)) == 32
    assert (ACTORS[0], ACTORS[31]) == ("M003", "W029")


def test_without_acceptance_the_terms_are_shown_and_nothing_is_read(tmp_path):
    with pytest.raises(InvalidValue, match=r"accept_terms: got no; allowed: --accept-terms, .* research-only"):
        run("--checkpoint", tmp_path / "missing.pth")


def test_a_wrong_file_and_a_taken_folder_are_one_line_each_and_leave_nothing(tmp_path):
    path = tmp_path / "FER.pth"
    torch.save({"in_fc.weight": torch.zeros(256, 53)}, path)
    output = tmp_path / "bundle"
    with pytest.raises(BundleError, match=r"found the weights of FER\.pth; expected those of DEEPTalk\.pth"):
        run("--checkpoint", path, "--accept-terms", "-o", output)
    with pytest.raises(InvalidValue, match=r"checkpoint: got .*missing\.pth; allowed: a file that exists"):
        run("--checkpoint", tmp_path / "missing.pth", "--accept-terms", "-o", output)
    with pytest.raises(InvalidValue, match=r"output: got .* a folder that does not exist yet"):
        run("--checkpoint", path, "--accept-terms", "-o", tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_flame_of_another_release_is_refused_before_the_checkpoint_is_read(tmp_path):
    still = plain_head()
    still.expression_dirs[: VERTICES // 2] = 0
    cases = {
        "2019.npz": (still, r"leave 50% of the vertices still, as in FLAME 2017 and 2019; expected FLAME 2020"),
        "flame2023.npz": (plain_head(), r"found FLAME 2023 by its name; expected FLAME 2020"),
        "small.npz": (plain_head(vertices=400, triangles=700), r"found 400 vertices, 700 triangles and 100 expression"),
        "few.npz": (plain_head(expressions=50), r"and 50 expression components; expected the 5023, 9976 and 100"),
    }
    for name, (head, said) in cases.items():
        flame = write_flame(tmp_path / name, head)
        with pytest.raises(BundleError, match=said):
            run("--checkpoint", tmp_path / "missing.pth", "--flame", flame, "--accept-terms", "-o", tmp_path / "bundle")


def test_eyeballs_that_expressions_leave_still_are_no_other_release(tmp_path):
    head = plain_head()
    head.expression_dirs[:1092] = 0
    check_flame_2020(head, tmp_path / "generic_model.pkl")


def released(spelling):
    """A state of the released keys and shapes, random but tame; aliases share their storage as in the real file."""
    random = torch.Generator().manual_seed(0)
    state = {}
    for key, shape in KEYS["DEEPTalk"].items():
        original = key.replace("sequence_decoder.DEE_audio.", "sequence_decoder.DEE.audio_encoder.")
        if original in state:
            state[key] = state[original]
        elif key.endswith("num_batches_tracked"):
            state[key] = torch.zeros(shape, dtype=torch.long)
        elif len(shape) < 2:
            state[key] = torch.ones(shape) if re.search(r"weight$|running_var$", key) else torch.zeros(shape)
        else:
            state[key] = torch.empty(shape).normal_(generator=random).div_(float(np.prod(shape[1:])) ** 0.5)
    for new, old in zip(("original0", "original1"), ("weight_g", "weight_v"), strict=True):
        stem = "audio_model.model.encoder.pos_conv_embed.conv."
        if spelling == "new":
            state[f"{stem}parametrizations.weight.{new}"] = state.pop(stem + old)
    return state


def flame_of_the_right_size(open_head):
    """A real head in FLAME's counts: a synthetic one with a few vertices and triangles more that change nothing."""
    head = synthetic_head(open_head, 4_900, np.random.default_rng(3)).head
    extra, more = VERTICES - head.vertex_count, TRIANGLES - len(head.triangles)
    assert extra >= 0
    assert more >= 0

    def grown(array, axis=0):
        return np.concatenate([array, np.repeat(np.take(array, [0], axis), extra, axis)], axis)

    dirs = np.zeros((VERTICES, 3, EXPRESSIONS), np.float32)
    dirs[:, :, :50] = grown(head.expression_dirs)[:, :, :50]
    dirs[:, :, 99] += 1e-9
    regressor = np.concatenate([head.joint_regressor, np.zeros((5, extra), np.float32)], axis=1)
    return Head(
        template=grown(head.template),
        triangles=np.concatenate([head.triangles, np.repeat(head.triangles[:1], more, 0)]),
        shape_dirs=grown(head.shape_dirs),
        expression_dirs=dirs,
        joint_regressor=regressor,
        skinning=grown(head.skinning),
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_checkpoint_of_the_released_size_becomes_a_bundle(tmp_path, capsys):
    checkpoint, output = tmp_path / "DEEPTalk.pth", tmp_path / "bundle"
    torch.save(released("new"), checkpoint)
    gc.collect()
    open_head = load_head(shipped_profile_path().with_name("open_head.npz"))
    flame = write_flame(tmp_path / "generic_model.npz", flame_of_the_right_size(open_head))
    with pytest.raises(SystemExit) as ended:
        run("--checkpoint", checkpoint, "--flame", flame, "--accept-terms", "-o", output)
    assert not ended.value.code
    said = capsys.readouterr().out
    assert "1240 keys, 730 of them used" in said
    assert "dropped  300: second name of the speech side of the embedding" in said
    manifest = json.loads((output / "manifest.json").read_text())
    assert set(manifest["files"]) == {"card.md", "emotion.onnx", "motion.onnx", "rig_profile.npz"}
    assert {name: sha256(output / name) for name in manifest["files"]} == manifest["files"]
    assert manifest["training"]["sha256"] == sha256(checkpoint)
    assert load_profile(output / "rig_profile.npz").head_digest == manifest["head_digest"]
    motion = manifest["graphs"][1]
    assert motion["inputs"]["actor"] == ["B", 32]
    assert motion["outputs"]["motion"] == ["B", "4*K", 53]
    session = onnxruntime.InferenceSession(str(output / motion["file"]), providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == list(motion["inputs"])
    del session
    state = released("old")
    del state["sequence_decoder.squasher_2_t.encoder.layers.4.norm2.weight"]
    torch.save(state, checkpoint)
    del state
    gc.collect()
    with pytest.raises(BundleError, match=r"found nothing for generator\.top\.layers\.4\.output_norm\.weight"):
        run("--checkpoint", checkpoint, "--accept-terms", "-o", tmp_path / "second")
    assert not (tmp_path / "second").exists()
