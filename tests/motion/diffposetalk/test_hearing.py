"""Speech heard hop by hop is that of the whole recording, whatever else is in the batch."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.engines.bundle import Bundle
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.errors import BundleError
from facestream.motion.diffposetalk.hearing import HopByHop, live_hearing
from facestream.types import Float32
from tests.diffposetalk.tiny_bundle import PIECES, tiny_folder

FRAME = 640
HOP, AHEAD = PIECES.hop_frames, PIECES.ahead_frames
SILENT_FRAMES, STREAM_HOPS = 28, 10
"""As long as loudness counts: the very first sound of a clip is heard a little otherwise than that of a stream."""


@pytest.fixture(scope="module")
def graphs() -> DiffPoseTalkGraphs:
    return DiffPoseTalkGraphs(Bundle.open(tiny_folder()))


def speech(seed: int) -> Float32:
    """Samples [T] behind silence."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal((STREAM_HOPS * HOP + AHEAD) * FRAME)
    noise[: SILENT_FRAMES * FRAME] = 0.0
    return noise.astype(np.float32)


@settings(max_examples=8, deadline=None)
@given(begins=st.lists(st.integers(0, 5), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_a_live_hop_is_that_of_the_recording(graphs: DiffPoseTalkGraphs, begins: list[int], seed: int) -> None:
    """Streams that begin at different steps share a batch; only the last frame ahead, not heard yet, differs."""
    hearing = live_hearing(graphs)
    assert isinstance(hearing, HopByHop)
    assert hearing.context_frames == 0
    audio = np.stack([speech(seed + row) for row in range(len(begins))])
    whole = graphs.hear(audio)
    assert whole.seal is not None
    state: dict[str, Any] = {
        name: np.zeros((len(begins), *shape), dtype) for name, (shape, dtype) in hearing.columns.items()
    }
    for step in range(max(begins) + STREAM_HOPS):
        hop = step - np.array(begins)
        running = np.flatnonzero((hop >= 0) & (hop < STREAM_HOPS))
        if not running.size:
            continue
        first = hop[running] * HOP
        pcm = np.stack(
            [audio[row, FRAME * at :][: FRAME * (HOP + AHEAD)] for row, at in zip(running, first, strict=True)]
        )
        part = {name: value[running] for name, value in state.items()}
        heard = hearing.hear(pcm, first, part)
        for name, value in part.items():
            state[name][running] = value
        assert heard.seal is not None
        for place, (row, at) in enumerate(zip(running, first, strict=True)):
            meant = slice(at, at + HOP + AHEAD - 1)
            for live, recorded in (
                (heard.features, whole.features),
                (heard.phone, whole.phone),
                (heard.seal, whole.seal),
            ):
                np.testing.assert_allclose(live[place, :-1], recorded[row, meant], atol=1e-4)
                np.testing.assert_array_equal(live[place, -1], live[place, -2])


def test_what_was_heard_before_counts(graphs: DiffPoseTalkGraphs) -> None:
    """The control: a hop heard without its past is another one."""
    hearing, audio = live_hearing(graphs), speech(3)[None]
    late = STREAM_HOPS - 1
    state: dict[str, Any] = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in hearing.columns.items()}
    forgetful = {name: value.copy() for name, value in state.items()}
    for hop in range(late + 1):
        pcm = audio[:, FRAME * HOP * hop : FRAME * (HOP * (hop + 1) + AHEAD)]
        heard = hearing.hear(pcm, np.array([HOP * hop]), state)
    alone = hearing.hear(pcm, np.array([HOP * late]), forgetful)
    assert np.abs(heard.features - alone.features).max() > 1e-2


def test_hearing_hop_by_hop_needs_a_frame_ahead(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_folder(), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["pieces"]["ahead_frames"] = 0
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="found 0 ahead_frames; expected 1 or more where speech is heard hop by hop"):
        live_hearing(DiffPoseTalkGraphs(Bundle.open(folder)))
