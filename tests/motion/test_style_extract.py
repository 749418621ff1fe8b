"""From a recording to a style file, on a bundle in miniature."""

import numpy as np
import pytest
from typer.testing import CliRunner

from facestream.cli.app import app
from facestream.engines.bundle import Bundle
from facestream.engines.diffposetalk_facts import style_space
from facestream.engines.diffposetalk_style import StyleGraph, styles_of
from facestream.errors import BundleError, InvalidValue
from facestream.files.csv import write_csv
from facestream.files.gltf_head import write_animated_glb
from facestream.files.npz import write_npz
from facestream.motion.reference_take import ReferenceMotion, read_reference
from facestream.motion.style_extract import extract_style
from facestream.style import Style
from facestream.timebase import FrameRate
from tests.diffposetalk.tiny_bundle import NAME, STYLE_WIDTH, tiny_folder
from tests.engines.tiny_deeptalk import write_tiny_deeptalk
from tests.motion.test_reference_take import PROFILE, talking


@pytest.fixture(scope="module")
def bundle():
    return Bundle.open(tiny_folder())


@pytest.fixture(scope="module")
def encoder(bundle):
    return StyleGraph(bundle)


def cosine(one, other):
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def test_every_kind_of_recording_of_one_face_has_one_style(encoder, tmp_path):
    frames, _, _ = talking(9, 30, seed=1)
    write_csv(tmp_path / "take.csv", frames, FrameRate(30))
    write_npz(tmp_path / "take.npz", frames, FrameRate(30))
    write_animated_glb(tmp_path / "take.glb", frames, FrameRate(30))
    styles = [
        extract_style(encoder, read_reference(tmp_path / f"take{kind}", PROFILE)) for kind in (".csv", ".npz", ".glb")
    ]
    for style in styles:
        encoder.space.check(style)
        assert (style.model, style.vector.size) == (NAME, STYLE_WIDTH)
        assert cosine(style.vector, styles[0].vector) > 0.999
    other, _, _ = talking(9, 30, seed=2)
    write_csv(tmp_path / "other.csv", other, FrameRate(30))
    found = extract_style(encoder, read_reference(tmp_path / "other.csv", PROFILE))
    assert cosine(found.vector, styles[0].vector) < 0.99


@pytest.mark.parametrize("frames", [100, 101, 124, 125, 260])
def test_all_of_a_take_counts_to_its_last_frame(encoder, frames):
    random = np.random.default_rng(frames)
    take = ReferenceMotion(
        random.normal(size=(frames, 50)).astype(np.float32), 0.1 * random.normal(size=(frames, 6)).astype(np.float32)
    )
    style = extract_style(encoder, take)
    changed = ReferenceMotion(take.expression.copy(), take.pose)
    changed.expression[-1] += 3.0
    assert np.abs(extract_style(encoder, changed).vector - style.vector).max() > 1e-5


def test_motion_that_is_no_ones_is_refused(encoder, monkeypatch):
    take = ReferenceMotion(np.zeros((100, 50), np.float32), np.zeros((100, 6), np.float32))
    monkeypatch.setattr(encoder, "style", lambda motion: np.full((1, STYLE_WIDTH), 0.2, np.float32))
    with pytest.raises(InvalidValue, match=r"style: got norm 0\.8; allowed: 1 to 5"):
        extract_style(encoder, take)


def test_another_encoder_or_motion_space_is_another_space(bundle, encoder, tmp_path):
    manifest = bundle.manifest
    spaces = [
        style_space(bundle.folder, manifest.model_copy(update=update))
        for update in (
            {"version": "2.0"},
            {"motion_space": "0" * 64},
            {"files": {**manifest.files, "style.onnx": "0" * 64}},
            {"files": {**manifest.files, "denoise.onnx": "0" * 64}},
        )
    ]
    assert [space == encoder.space for space in spaces] == [True, False, False, True]
    with pytest.raises(BundleError, match="found a bundle of family 'deeptalk'; expected 'diffposetalk'"):
        StyleGraph(Bundle.open(write_tiny_deeptalk(tmp_path / "deeptalk")))


def test_the_command_writes_a_file_or_one_line(bundle, tmp_path):
    frames, _, _ = talking(6, 30, seed=1)
    write_csv(tmp_path / "take.csv", frames, FrameRate(30))
    command = ["style", "extract", str(tmp_path / "take.csv"), "--model", str(bundle.folder), "-o"]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "my.style")])
    assert done.exit_code == 0, done.output
    assert Style.load(tmp_path / "my.style").vector.shape == (STYLE_WIDTH,)
    assert "6.0 s, a style of 16 numbers for tiny-styles" in done.output
    refused = CliRunner().invoke(app, [*command, str(tmp_path / "my.npz")])
    assert isinstance(refused.exception, InvalidValue)
    assert "a name ending in .style" in str(refused.exception)


def test_two_styles_are_blended_by_name_and_file(bundle, tmp_path):
    space, named = styles_of(bundle)
    named["calm"].save(tmp_path / "mine.style")
    command = ["style", "blend", str(tmp_path / "mine.style"), "lively", "--model", str(bundle.folder)]
    command += ["-o", str(tmp_path / "mixed.style"), "--share"]
    done = CliRunner().invoke(app, [*command, "0.25"])
    assert done.exit_code == 0, done.output
    mixed = Style.load(tmp_path / "mixed.style")
    space.check(mixed)
    assert cosine(mixed.vector, named["calm"].vector) > cosine(mixed.vector, named["lively"].vector)
    for wrong, said in (("1.5", "share: got 1.5; allowed: 0 to 1"), ("nan", "share: got nan")):
        assert said in str(CliRunner().invoke(app, [*command, wrong]).exception)
    command[3] = "loud"
    assert "no style named 'loud'; there is: calm, lively, stern" in str(
        CliRunner().invoke(app, [*command, "0.5"]).exception
    )
