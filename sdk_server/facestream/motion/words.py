"""What a deeptalk network hears of the words: hop by hop where its bundle can, else anew in every window.

A live step moves a window of codes of which only the last one is new. A network that hears from left to right need not
hear the others again: what it heard of their frames is kept beside its state. 16 streams that heard 1.28 s of words
anew in each step of 160 ms took 142 ms of processor time a step, those that hear 0.16 s take 60 (2026-11-21).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from facestream.engines.deeptalk import DeepTalkGraphs, Words
from facestream.engines.facts import FRAMES_PER_CODE, ROWS_PER_CODE
from facestream.motion.base import Column
from facestream.types import Float32

_PREFIX = "deeptalk.words."
_KEPT = {
    _PREFIX + name: per_code for name, per_code in zip(Words._fields, (FRAMES_PER_CODE, ROWS_PER_CODE), strict=True)
}
"""Columns of what was heard, and how many values of it a code has."""

Places = npt.NDArray[np.intp]
State = dict[str, npt.NDArray[Any]]


class Spoken(NamedTuple):
    """Of `K` codes: what the network moves by, `speech` (`DeepTalkGraphs.move`), and phone class probabilities `phone`
    [B, 8 K, P] of rows 20 ms apart, the second, fourth ... of them at the frames.
    """

    speech: Float32
    phone: Float32


class WordHearing(Protocol):
    """How words are heard."""

    columns: Mapping[str, Column]

    def hear(self, pcm: Float32, code: npt.NDArray[np.int64], state: State) -> None:
        """Live: hear what is new for the codes `[B]`, in place; `pcm` `[B, T]` ends behind what these codes wait for.

        Raises `EngineError`.
        """
        ...

    def window(self, pcm: Float32, state: State, rows: Places, codes: int) -> Spoken:
        """Live: the last `codes` codes of what was heard of these `rows`."""
        ...

    def whole(self, pcm: Float32) -> Spoken:
        """A recording `[B, 2560 K]`. Raises `EngineError`."""
        ...


def word_hearing(graphs: DeepTalkGraphs, window_codes: int, ahead_codes: int) -> WordHearing:
    """How the words of a bundle are heard; live windows hold up to `window_codes`, the last `ahead_codes` ahead."""
    if graphs.content_width:
        return HopByHop(graphs, window_codes, ahead_codes)
    return WindowByWindow(graphs)


class WindowByWindow:
    """The motion graph hears by itself, and tells no phones."""

    def __init__(self, graphs: DeepTalkGraphs) -> None:
        self.columns: Mapping[str, Column] = {}
        self._code_samples = graphs.manifest.code_samples

    def hear(self, pcm: Float32, code: npt.NDArray[np.int64], state: State) -> None:
        """Nothing is kept."""

    def window(self, pcm: Float32, state: State, rows: Places, codes: int) -> Spoken:
        return self.whole(pcm[rows, -codes * self._code_samples :])

    def whole(self, pcm: Float32) -> Spoken:
        rows = pcm.shape[1] // self._code_samples * ROWS_PER_CODE
        return Spoken(np.ascontiguousarray(pcm), np.zeros((len(pcm), rows, 0), np.float32))


class HopByHop:
    """A hop of samples gives the words of the frame that began one hop before, and of the row behind it.

    So the last frame of a window is not heard yet, and what is before it stands in: it lies in the codes ahead, which
    are heard in full before they are given out.
    """

    def __init__(self, graphs: DeepTalkGraphs, window_codes: int, ahead_codes: int) -> None:
        self._graphs = graphs
        self._hop_samples = graphs.manifest.code_samples // FRAMES_PER_CODE
        self._first_hops = FRAMES_PER_CODE * (1 + ahead_codes)
        self._states = {_PREFIX + name: name for name in graphs.state_shapes}
        sizes = ((graphs.content_width,), (len(graphs.model.phone_classes),))
        self.columns: Mapping[str, Column] = {
            **{_PREFIX + name: (shape, np.float32) for name, shape in graphs.state_shapes.items()},
            **{
                name: ((per_code * window_codes, *size), np.float32)
                for (name, per_code), size in zip(_KEPT.items(), sizes, strict=True)
            },
        }

    def hear(self, pcm: Float32, code: npt.NDArray[np.int64], state: State) -> None:
        for rows, hops in (
            (np.flatnonzero(code == 0), self._first_hops),
            (np.flatnonzero(code > 0), FRAMES_PER_CODE),
        ):
            if not rows.size:
                continue
            samples = np.ascontiguousarray(pcm[rows, -hops * self._hop_samples :])
            before = {name: state[column][rows] for column, name in self._states.items()}
            words, following = self._graphs.listen(samples, before)
            for column, name in self._states.items():
                state[column][rows] = following[name]
            for column, values in zip(_KEPT, words, strict=True):
                known = state[column][rows]
                state[column][rows] = np.concatenate((known, values), axis=1)[:, -known.shape[1] :]

    def window(self, pcm: Float32, state: State, rows: Places, codes: int) -> Spoken:
        found = []
        for column, per_code in _KEPT.items():
            known = state[column][rows, 1 - per_code * codes :]
            found.append(np.concatenate((known, known[:, -1:]), axis=1))
        return Spoken(*found)

    def whole(self, pcm: Float32) -> Spoken:
        padded = np.pad(pcm, ((0, 0), (0, self._hop_samples)))
        fresh = {name: np.zeros((len(pcm), *shape), np.float32) for name, shape in self._graphs.state_shapes.items()}
        words, _ = self._graphs.listen(padded, fresh)
        return Spoken(np.ascontiguousarray(words.content[:, 1:]), words.phone[:, 1:-1])
