"""Words heard hop by hop are those of the whole recording, whatever else is in the batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.engines.bundle import Bundle
from facestream.engines.deeptalk import DeepTalkGraphs
from facestream.motion.words import HopByHop, WindowByWindow, word_hearing
from facestream.types import Float32
from tests.engines.tiny_deeptalk import CODE, HOP, write_tiny_deeptalk

PAST, AHEAD = 4, 2
WINDOW = PAST + 1 + AHEAD
STREAM_CODES = 14


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> DeepTalkGraphs:
    return DeepTalkGraphs(Bundle.open(write_tiny_deeptalk(tmp_path_factory.mktemp("words"))))


def noise(seed: int, codes: int) -> Float32:
    return (0.1 * np.random.default_rng(seed).standard_normal((1, codes * CODE))).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(begins=st.lists(st.integers(0, 6), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_a_live_window_is_that_of_the_recording(graphs: DeepTalkGraphs, begins: list[int], seed: int) -> None:
    """Streams that begin at different steps share a batch; only the last frame of a window, not heard yet, differs."""
    words = word_hearing(graphs, WINDOW, AHEAD)
    assert isinstance(words, HopByHop)
    audio = [noise(seed + row, STREAM_CODES) for row in range(len(begins))]
    whole = [words.whole(samples) for samples in audio]
    state: dict[str, Any] = {
        name: np.zeros((len(begins), *shape), dtype) for name, (shape, dtype) in words.columns.items()
    }
    read = (WINDOW + 3) * CODE
    for step in range(6 + STREAM_CODES - AHEAD):
        code = step - np.array(begins)
        running = np.flatnonzero((code >= 0) & (code < STREAM_CODES - AHEAD))
        if not running.size:
            continue
        ends = (code[running] + 1 + AHEAD) * CODE
        pcm = np.concatenate([_before(audio[row], end, read) for row, end in zip(running, ends, strict=True)])
        part = {name: value[running] for name, value in state.items()}
        words.hear(pcm, code[running], part)
        for name, value in part.items():
            state[name][running] = value
        for place, row in enumerate(running):
            codes = min(int(code[row]), PAST) + 1 + AHEAD
            found = words.window(pcm, part, np.array([place]), codes)
            for live, recorded, in_code in zip(found, whole[row], (4, 8), strict=True):
                assert live.shape[1] == in_code * codes
                end = in_code * (int(code[row]) + 1 + AHEAD)
                np.testing.assert_allclose(live[0, :-1], recorded[0, end - in_code * codes : end - 1], atol=1e-5)
                np.testing.assert_array_equal(live[0, -1], live[0, -2])


def _before(samples: Float32, end: int, count: int) -> Float32:
    """The `count` samples that end at `end`, silence before the first one."""
    return np.pad(samples[:, :end], ((0, 0), (max(count - end, 0), 0)))[:, -count:]


def test_frames_are_heard_with_what_follows_them(graphs: DeepTalkGraphs) -> None:
    words = word_hearing(graphs, WINDOW, AHEAD)
    one, other = noise(1, 3), noise(1, 3)
    other[:, 6 * HOP :] = 0.0
    apart = np.abs(words.whole(one).speech - words.whole(other).speech).max(axis=(0, 2))
    assert apart[:5].max() == 0.0
    assert apart[5] > 1e-3, "frame 5 begins one hop before the change"


def test_a_network_that_hears_windows_is_given_the_samples(tmp_path: Path) -> None:
    graphs = DeepTalkGraphs(Bundle.open(write_tiny_deeptalk(tmp_path, hears_hops=False)))
    words = word_hearing(graphs, WINDOW, AHEAD)
    assert isinstance(words, WindowByWindow)
    assert not words.columns
    pcm = np.concatenate([noise(seed, 9) for seed in range(3)])
    spoken = words.window(pcm, {}, np.array([2, 0]), 4)
    np.testing.assert_array_equal(spoken.speech, pcm[[2, 0], 5 * CODE :])
    assert spoken.phone.shape == (2, 32, 0)
