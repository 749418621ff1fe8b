"""From trained stages to frames: the bundle that the exporter writes, opened and used as the runtime does."""

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facestream.acting import ActingChange
from facestream.curves import INDEX
from facestream.engines.bundle import Bundle
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.engines.diffposetalk_style import styles_of
from facestream.retarget.profile import load_profile
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream_models.corpus.phones import CLASSES
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.corpus.take_store import TakeWriter
from facestream_models.diffposetalk.bundle import STYLES
from facestream_models.diffposetalk.compact import COMPACT, ContentMap
from facestream_models.diffposetalk.heard_speech import LEVELS
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.build import build_student, load_denoiser, weights_digest
from facestream_models.diffposetalk.stages.style import StyleNetwork
from facestream_models.diffposetalk.student import Student
from facestream_models.export.diffposetalk import (
    NAME,
    NAMED,
    SPEAKERS_A_STYLE,
    export,
    load_compact,
    load_distilled,
    speaker_styles,
)
from tests.diffposetalk.speaking import spoken
from tests.live.tiny import TINY, tiny_network
from tests.serving.streams import babble

SHAPE = replace(COMPACT, window=100, past=4, width=32, layers=2, heads=2, hidden=32, style_count=16)
CONTENT = TINY.width + 2 * len(CLASSES) + LEVELS
SPEAKERS = 10


def lively(network, seed):
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return network.state_dict()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Bundle]:
    """Runs, takes of speakers who all have other traits and brows, and the bundle made of both."""
    folder = tmp_path_factory.mktemp("compact")
    runs, data = folder / "runs", folder / "data"
    kept = {
        "live": {"weights": tiny_network().state_dict(), "facts": {"shape": asdict(TINY)}},
        "style": {"weights": lively(StyleNetwork(SHAPE), 1), "facts": {"shape": asdict(SHAPE)}, "step": 1},
        "denoiser": {
            "weights": lively(DiffPoseTalk(SHAPE, ContentMap(SHAPE.width, CONTENT)), 2),
            "facts": {"shape": asdict(SHAPE), "content": CONTENT, "speakers": SPEAKERS},
            "step": 7,
        },
    }
    for stage, stored in kept.items():
        (runs / stage).mkdir(parents=True)
        torch.save(stored, runs / stage / "weights.pt")
    _, told = load_denoiser(runs)
    student = Student(load_denoiser(runs)[0].denoiser)
    kept["student"] = {
        "weights": student.state_dict(),
        "facts": {
            "teacher": weights_digest(load_denoiser(runs)[0]), "teacher_step": told["step"],
            "audio_scales": [1.0, 2.0], "style_scales": [0.0, 4.0],
        },
        "step": 9,
    }  # fmt: skip
    (runs / "student").mkdir()
    torch.save(kept["student"], runs / "student" / "weights.pt")
    with TakeWriter(data / "train", "takes-p0", load_profile().head_digest) as writer:
        for speaker in range(SPEAKERS):
            traits = np.full(len(TRAITS), 1 + (3 * speaker) % SPEAKERS, np.float32)
            take = spoken(speaker, 0)
            curves = np.zeros_like(take.curves)
            curves[:, INDEX["browInnerUp"]] = 0.1 * ((7 * speaker) % SPEAKERS)
            writer.add(replace(take, traits=traits, curves=curves))
    return runs, data, export(runs, data, folder / "bundle", card="# card\n", version="0.1")


def test_the_bundle_is_what_was_trained(made: tuple[Path, Path, Bundle]) -> None:
    runs, _, bundle = made
    assert (bundle.manifest.name, bundle.manifest.training["step"], bundle.manifest.training["student_step"]) == (
        NAME,
        7,
        9,
    )
    graphs = DiffPoseTalkGraphs(bundle)
    model, _, _ = load_compact(runs)
    audio = babble(1, 16000, 0.8)[None]
    with torch.no_grad():
        expected = model.speech(torch.from_numpy(audio)).numpy()
    heard = graphs.hear(audio)
    np.testing.assert_allclose(heard.features, expected, atol=0.03 * np.abs(expected).max())  # half the bytes
    np.testing.assert_allclose(heard.phone.sum(axis=2), 1.0, atol=1e-4)
    assert heard.seal is not None
    assert ((heard.seal >= 0) & (heard.seal <= 1)).all()
    assert bundle.model.phone_classes == CLASSES


def test_named_styles_are_those_of_speakers_who_have_most_or_least(made: tuple[Path, Path, Bundle]) -> None:
    runs, data, bundle = made
    space, named = styles_of(bundle)
    assert list(named) == list(NAMED)
    known = speaker_styles(load_compact(runs)[1], data / "train")
    level = known.traits[:, 0] - 1
    least, most = (
        known.styles[chosen].mean(axis=(0, 1))
        for chosen in (level < SPEAKERS_A_STYLE, level >= SPEAKERS - SPEAKERS_A_STYLE)
    )

    def apart(style: str, vector: np.ndarray) -> float:
        one, other = (each / np.linalg.norm(each) for each in (named[style].vector, vector))
        return float(np.linalg.norm(one - other))

    for low, high in (("still", "nodding"), ("stern", "smiling")):
        assert apart(low, least) < 0.2 * apart(low, most)
        assert apart(high, most) < 0.2 * apart(high, least)
    brows = known.traits[:, -1]
    np.testing.assert_allclose(np.sort(brows), 0.1 * np.arange(SPEAKERS), atol=1e-2)
    lowest, highest = (known.styles[np.isin(brows, np.sort(brows)[chosen])].mean(axis=(0, 1))
                       for chosen in (slice(SPEAKERS_A_STYLE), slice(-SPEAKERS_A_STYLE, None)))  # fmt: skip
    assert apart("raised-brows", highest) < 0.2 * apart("raised-brows", lowest)
    for style in named.values():
        space.check(style)


def test_it_makes_faces_and_heads(made: tuple[Path, Path, Bundle]) -> None:
    pipeline = open_pipeline(str(made[2].folder))
    frames = animate(babble(2, 16000, 1.0), StreamOptions(), pipeline)
    assert frames.count == 39
    assert "silence" in frames.extras
    assert frames.pose is not None
    assert np.isfinite(frames.weights).all()


def test_another_student_goes_on_from_it_and_wears_its_styles(made: tuple[Path, Path, Bundle], tmp_path: Path) -> None:
    runs, data, bundle = made
    again = tmp_path / "runs"
    shutil.copytree(runs, again)
    shutil.copytree(data / "train", tmp_path / "data" / "train")
    shutil.copytree(data / "train", tmp_path / "data" / "validation")
    before = torch.load(runs / "student" / "weights.pt", weights_only=True)
    before["weights"]["known"] += 1.0
    torch.save(before, again / "student" / "weights.pt")
    settings = tmp_path / "student.toml"
    told = 'begin_with = "student"\n[lessons]\nnamed = 0.5\n[run]\nseed = 3\nsteps = 1\n'
    settings.write_text(told, encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"styles\.npz"):
        build_student(settings, tmp_path / "data", again / "another")
    shutil.copy(bundle.folder / STYLES, again / STYLES)
    found = build_student(settings, tmp_path / "data", again / "another").stage.network
    for name, weight in found.state_dict().items():
        torch.testing.assert_close(weight, before["weights"][name])
    settings.write_text(told.removeprefix('begin_with = "student"\n'), encoding="utf-8")
    anew = build_student(settings, tmp_path / "data", again / "another").stage.network
    assert not torch.equal(anew.state_dict()["known"], before["weights"]["known"])


def test_a_student_is_a_part_of_it_and_may_be_missing(made: tuple[Path, Path, Bundle], tmp_path: Path) -> None:
    runs, _, bundle = made
    told = bundle.manifest.model_dump()["distilled"]
    assert told == {
        "most_steps": 4, "audio_scales": [1.0, 2.0], "style_scales": [0.0, 4.0], "audio_scale": 1.0,
        "known_frames": 10, "beyond_frames": 8,
    }  # fmt: skip
    pipeline = open_pipeline(str(bundle.folder))
    few = ActingChange(styling=StylingChange(style="open", steps=1))
    assert np.isfinite(animate(babble(2, 16000, 0.5), StreamOptions(acting=few), pipeline).weights).all()
    for stage in ("live", "style", "denoiser"):
        (tmp_path / stage).symlink_to(runs / stage)
    assert load_distilled(tmp_path) == (None, {})


def test_a_stage_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train stage denoiser"):
        load_compact(tmp_path)
