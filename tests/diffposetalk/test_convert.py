"""`facestream models convert diffposetalk` as its user meets it, from checkpoints of the released form."""

import argparse
import gc
import math
import shutil
from pathlib import Path, PosixPath, PureWindowsPath

import numpy as np
import pytest
import torch

from facestream.acting import Acting
from facestream.engines.bundle import Bundle
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.errors import BundleError, InvalidValue
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion
from facestream.motion.diffposetalk.space import MotionStatistics
from facestream.styling import Styling
from facestream_models.diffposetalk.command import main
from facestream_models.diffposetalk.convert import Sources, convert
from facestream_models.released.folder import sha256
from tests.diffposetalk.released import PlainDenoiser, StyleEncoder, unlike
from tests.diffposetalk.test_official_weights import KEYS
from tests.diffposetalk.tiny import SPEECH, released
from tests.serving.streams import babble

SIZES = {"shape": 100, "exp": 50, "pose": 6}


def run(*arguments):
    main([str(argument) for argument in arguments], "facestream models convert diffposetalk")


def options(data_set):
    return argparse.Namespace(
        data_root=PosixPath("/srv/data") / data_set,
        stats_file=PureWindowsPath(rf"C:\data\{data_set}\stats_train.npz"),
        window=100,
        lr=1e-4,
        guiding_conditions="audio,style",
    )


def write_statistics(path, **changes):
    random = np.random.default_rng(1)
    content = {f"{name}_{kind}": random.uniform(0.05, 0.4, size) for name, size in SIZES.items() for kind in
               ("mean", "std", "min", "max")}  # fmt: skip
    np.savez(path, **(content | changes))
    return path


def style_of(head_rotation):
    torch.manual_seed(3)
    return unlike(StyleEncoder(54 if head_rotation else 51)).state_dict()


def write_files(folder, head_rotation=True, style_data="HDTF_TFHP"):
    folder.mkdir(exist_ok=True)
    torch.save(
        {"args": options("HDTF_TFHP"), "model": released(head_rotation)[1], "iter": 110_000}, folder / "denoiser.pt"
    )
    torch.save({"args": options(style_data), "encoder": style_of(head_rotation), "iter": 26_000}, folder / "style.pt")
    return Sources(folder / "denoiser.pt", folder / "style.pt", write_statistics(folder / "stats_train.npz"))


def arguments(sources):
    return ["--denoiser", sources.denoiser, "--style-encoder", sources.style_encoder, "--statistics",
            sources.statistics, "--accept-terms"]  # fmt: skip


@pytest.mark.parametrize("head_rotation", [True, False])
def test_both_variants_become_bundles_that_the_runtime_opens(tmp_path, head_rotation):
    sources = write_files(tmp_path / "files", head_rotation)
    styles = tmp_path / "styles"
    styles.mkdir()
    for number, name in enumerate(("calm", "lively")):
        style = np.random.default_rng(number).normal(size=128)
        np.save(styles / f"{name}.npy", 11.0 * style / np.linalg.norm(style))
    said = []
    folder = convert(sources._replace(styles=styles), tmp_path / "bundle", said.append, SPEECH)
    manifest = Bundle.open(folder).manifest
    assert manifest.family == "diffposetalk"
    assert manifest.head_rotation == head_rotation
    assert manifest.motion_space == MotionStatistics.from_file(sources.statistics).digest
    assert MotionStatistics.from_file(folder / manifest.statistics).digest == manifest.motion_space
    assert manifest.training["denoiser"]["sha256"] == sha256(sources.denoiser)
    assert manifest.training["style_encoder"]["iteration"] == 26_000
    assert manifest.training["statistics"]["sha256"] == sha256(sources.statistics)
    assert manifest.training["doubts"] == []
    with np.load(folder / manifest.learned) as learned:
        state = released(head_rotation)[1]
        np.testing.assert_array_equal(learned["start_motion"], state["start_motion_feat"][0])
        np.testing.assert_array_equal(learned["null_audio"], state["null_audio_feat"][0, 0])
        assert learned["null_style"].shape == (manifest.style_width,)
    with np.load(folder / manifest.styles) as named:
        assert named["names"].tolist() == ["calm", "lively"]
        assert named["style"].shape == (2, 128)
    assert any("keys, all of them used" in line for line in said)
    assert any("dropped    7: follows from the model" in line for line in said)
    assert manifest.head_digest is None
    check_it_moves(Bundle.open(folder))


def check_it_moves(bundle):
    """The first window of a recording, in a style; how loud it was recorded does not matter."""
    motion = DiffPoseTalkMotion(DiffPoseTalkGraphs(bundle))
    abilities = motion.model.abilities
    row = motion.fresh_row(5, 0) | motion.acting_row(abilities.resolved(Acting(styling=Styling(style="calm", steps=2))))
    state = {
        name: np.array(np.broadcast_to(row.get(name, 0), (1, *shape)), dtype)
        for name, (shape, dtype) in motion.columns.items()
    }
    part = motion.whole_clips.next_part(0, None, None)
    samples = babble(1, 16_000, 1.12)[None, : part.reads_to * 2560]
    loud, quiet = (motion.whole_clips.step(scale * samples, state, part) for scale in (1.0, 0.25))
    assert loud.motion.shape == (1, 16, motion.model.motion_size)
    assert motion.model.motion_size == 53 + 3 * bundle.manifest.head_rotation
    assert np.abs(loud.motion).max() > 0.1
    np.testing.assert_allclose(quiet.motion, loud.motion, atol=1e-3)
    assert not loud.failed_rows()


def test_without_acceptance_the_terms_are_shown_and_nothing_is_read(tmp_path):
    missing = Sources(*(tmp_path / name for name in ("a.pt", "b.pt", "c.npz")))
    with pytest.raises(InvalidValue, match=r"accept_terms: got no; allowed: --accept-terms, .* no licence"):
        run(*arguments(missing)[:-1])


def refusal(tmp_path, sources, kind=BundleError):
    output = tmp_path / "bundle"
    with pytest.raises(kind) as refused:
        run(*arguments(sources), "-o", output)
    assert "\n" not in str(refused.value)
    assert not output.exists()
    assert not list(tmp_path.glob(".bundle*"))
    return str(refused.value)


def test_missing_or_other_statistics_are_told_plainly(tmp_path):
    sources = write_files(tmp_path / "files")
    said = refusal(tmp_path, sources._replace(statistics=tmp_path / "stats_train.npz"), InvalidValue)
    assert "`stats_train.npz` comes with the data set of the model's authors, not with their weights" in said
    other = tmp_path / "other.npz"
    np.savez(other, mean=np.zeros(5))
    assert "not the statistics of a DiffPoseTalk model" in refusal(tmp_path, sources._replace(statistics=other))
    write_statistics(other, exp_std=np.full(100, 0.3))
    said = refusal(tmp_path, sources._replace(statistics=other), InvalidValue)
    assert "statistics.exp_std: got shape (100,); allowed: 50 finite numbers" in said
    write_statistics(other, pose_std=np.full(6, 11.5))
    said = refusal(tmp_path, sources._replace(statistics=other))
    assert "found pose_std up to 11.5; expected at most 1 (FLAME coefficients, radians)" in said


def test_files_in_each_others_place_are_told(tmp_path):
    sources = write_files(tmp_path / "files")
    swapped = sources._replace(denoiser=sources.style_encoder, style_encoder=sources.denoiser)
    assert "belongs to --denoiser; expected weights under 'encoder'" in refusal(tmp_path, swapped)
    said = refusal(tmp_path, sources._replace(denoiser=sources.style_encoder))
    assert "belongs to --style-encoder; expected weights under 'model'" in said
    still = write_files(tmp_path / "still", head_rotation=False)
    said = refusal(tmp_path, sources._replace(style_encoder=still.style_encoder))
    # its size is told first: HuBERT-base is not what the small stand-in holds
    assert str(sources.denoiser) in said
    with pytest.raises(BundleError, match="style encoder without head rotation; expected one with head rotation"):
        convert(sources._replace(style_encoder=still.style_encoder), tmp_path / "bundle", print, SPEECH)


def test_style_vectors_of_another_kind_are_refused(tmp_path):
    sources = write_files(tmp_path / "files")
    for number, (style, said) in enumerate(
        [
            (np.ones(64), r"of shape \(64,\); allowed: 128 finite"),
            (np.full(128, np.nan), "128 finite numbers"),
            (np.ones(128) * 3, r"norm 33\.9; allowed: 9 to 13"),
        ]
    ):
        folder = tmp_path / f"styles{number}"
        folder.mkdir()
        np.save(folder / "one.npy", style)
        with pytest.raises(InvalidValue, match=said):
            convert(sources._replace(styles=folder), tmp_path / "bundle", print, SPEECH)
    with pytest.raises(InvalidValue, match=r"a folder with one NAME\.npy for each style"):
        convert(sources._replace(styles=tmp_path), tmp_path / "bundle", print, SPEECH)


def test_checkpoints_of_different_data_are_doubted_and_still_converted(tmp_path):
    sources = write_files(tmp_path / "files", head_rotation=False, style_data="HDTF_THHQ")
    said = []
    folder = convert(sources, tmp_path / "bundle", said.append, SPEECH)
    assert any("doubtful: the checkpoints name several data sets (HDTF_TFHP, HDTF_THHQ)" in line for line in said)
    assert "HDTF_THHQ" in (folder / "card.md").read_text()


class Trap:
    def __reduce__(self):
        return (print, ("run by a checkpoint",))


@pytest.mark.parametrize("trap", [Trap(), Path.home, np.random.default_rng(0)])
def test_nothing_but_options_and_paths_is_built(tmp_path, trap, capsys):
    sources = write_files(tmp_path / "files")
    torch.save({"args": argparse.Namespace(trap=trap), "encoder": style_of(True), "iter": 1}, sources.style_encoder)
    assert "not a checkpoint that can be read safely" in refusal(tmp_path, sources)
    assert "run by a checkpoint" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("module", "motion"), [("diff_talking_head_head", 54), ("diff_talking_head_nohead", 51)])
def test_checkpoints_of_the_released_size_become_a_bundle(tmp_path, module, motion, capsys):
    torch.manual_seed(0)
    state = unlike(PlainDenoiser(motion)).state_dict()
    for key, size in KEYS[module].items():
        if key.startswith("audio_encoder."):
            state[key] = torch.randn(size) / math.sqrt(math.prod(size[1:])) if len(size) > 1 else torch.ones(size)
    assert {key: list(tensor.shape) for key, tensor in state.items()} == KEYS[module]
    style = unlike(StyleEncoder(motion)).state_dict()
    assert {key: list(tensor.shape) for key, tensor in style.items()} == KEYS[
        module.replace("diff_talking_head", "style_encoder")
    ]
    sources = Sources(tmp_path / "d.pt", tmp_path / "s.pt", write_statistics(tmp_path / "stats_train.npz"))
    torch.save({"args": options("HDTF_TFHP"), "model": state, "iter": 110_000}, sources.denoiser)
    torch.save({"args": options("HDTF_TFHP"), "encoder": style, "iter": 26_000}, sources.style_encoder)
    output = tmp_path / "bundle"
    del style
    gc.collect()
    with pytest.raises(SystemExit) as ended:
        run(*arguments(sources), "-o", output)
    assert not ended.value.code
    assert f"{len(state)} keys, {len(state) - 7} of them used" in capsys.readouterr().out
    manifest = Bundle.open(output).manifest
    assert manifest.graphs[2].outputs["guess"] == ["G*B", 100, motion]
    shutil.rmtree(output)
    del state["audio_encoder.encoder.layers.7.final_layer_norm.bias"]
    torch.save({"args": options("HDTF_TFHP"), "model": state, "iter": 110_000}, sources.denoiser)
    del state
    gc.collect()
    with pytest.raises(BundleError, match=r"found nothing for speech\.encoder\.layers\.7\.output_norm\.bias"):
        run(*arguments(sources), "-o", output)
    assert not output.exists()
