"""What a diffposetalk network hears of a live stream: hop by hop where its bundle can, else with its context anew.

A network that hears from left to right carries on what it heard: of every hop only what is new is computed, and how
much came before does not matter. One that hears a clip as a whole is given some of the past with every hop.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from facestream.engines.diffposetalk import LATE_FRAMES, DiffPoseTalkGraphs, Heard
from facestream.engines.manifest import FramePieces
from facestream.errors import BundleError
from facestream.motion.base import Column
from facestream.types import Float32

_PREFIX = "diffposetalk.hearing."
_FEATURES, _PHONE, _SEAL = (_PREFIX + name for name in Heard._fields)
_QUIETEST = 3e-3
"""Deviation of the sound, -50 dBFS: what is quieter is not made louder where a network wants normalised audio."""

State = dict[str, npt.NDArray[Any]]


class LiveHearing(Protocol):
    """How a live stream is heard; a hop reads `context_frames` before it."""

    columns: Mapping[str, Column]
    context_frames: int

    def hear(self, pcm: Float32, frame: npt.NDArray[np.int64], state: State) -> Heard:
        """What is heard from `frame` `[B]` on, where rows stand, of the new hop and the frames ahead of it.

        `pcm` `[B, T]` holds them behind the context. `state` moves on by a hop, in place. Raises `EngineError`.
        """
        ...


def live_hearing(graphs: DiffPoseTalkGraphs) -> LiveHearing:
    """How streams of a bundle are heard. Raises `BundleError`."""
    return HopByHop(graphs) if graphs.hearing_states else WithContext(graphs)


class WithContext:
    """Every hop is heard with what came before it."""

    def __init__(self, graphs: DiffPoseTalkGraphs) -> None:
        self.columns: Mapping[str, Column] = {}
        self.context_frames = graphs.manifest.pieces.context_frames
        self._graphs = graphs

    def hear(self, pcm: Float32, frame: npt.NDArray[np.int64], state: State) -> Heard:
        return listen(self._graphs, pcm, self.context_frames, frame)


class HopByHop:
    """A hop gives frames that began before it. The last one ahead is not heard yet, and what is before it stands in."""

    def __init__(self, graphs: DiffPoseTalkGraphs) -> None:
        self.context_frames = 0
        self._graphs = graphs
        self._pieces: FramePieces = graphs.manifest.pieces
        self._kept = self._pieces.ahead_frames - LATE_FRAMES
        if self._kept < 0:
            raise BundleError(
                f"{graphs.folder}: found {self._pieces.ahead_frames} ahead_frames; expected {LATE_FRAMES} or more "
                "where speech is heard hop by hop; export the bundle again"
            )
        self._states = {_PREFIX + name: name for name in graphs.hearing_states}
        classes = len(graphs.model.phone_classes)
        self.columns: Mapping[str, Column] = {
            **{_PREFIX + name: (shape, np.float32) for name, shape in graphs.hearing_states.items()},
            _FEATURES: ((self._kept, graphs.width), np.float32),
            _PHONE: ((self._kept, classes), np.float32),
            _SEAL: ((self._kept,), np.float32),
        }

    def hear(self, pcm: Float32, frame: npt.NDArray[np.int64], state: State) -> Heard:
        hop, frame_samples = self._pieces.hop_frames, self._graphs.manifest.frame_samples
        count = self._kept + hop
        heard = self._nothing(len(pcm), count)
        for rows, new in ((np.flatnonzero(frame == 0), count + LATE_FRAMES), (np.flatnonzero(frame > 0), hop)):
            if not rows.size:
                continue
            before = {name: state[column][rows] for column, name in self._states.items()}
            samples = np.ascontiguousarray(pcm[rows, pcm.shape[1] - new * frame_samples :])
            found, following = self._graphs.listen(samples, before)
            for column, name in self._states.items():
                state[column][rows] = following[name]
            for whole, column, part in zip(heard, (_FEATURES, _PHONE, _SEAL), found, strict=True):
                if part is not None:
                    whole[rows] = np.concatenate([state[column][rows], part], axis=1)[:, -count:]
        for whole, column in zip(heard, (_FEATURES, _PHONE, _SEAL), strict=True):
            state[column] = whole[:, hop:].copy()
        last = [np.repeat(whole[:, -1:], LATE_FRAMES, axis=1) for whole in heard]
        return Heard(*(np.concatenate(parts, axis=1) for parts in zip(heard, last, strict=True)))

    def _nothing(self, rows: int, count: int) -> tuple[Float32, Float32, Float32]:
        sizes = (self._graphs.width,), (len(self._graphs.model.phone_classes),), ()
        features, phone, seal = (np.zeros((rows, count, *size), np.float32) for size in sizes)
        return features, phone, seal


def listen(graphs: DiffPoseTalkGraphs, pcm: Float32, context: int, frame: npt.NDArray[np.int64]) -> Heard:
    """What is heard behind `context` frames of `pcm` `[B, T]`, for rows that stand at `frame` `[B]`.

    Where the network wants it, audio is normalised over what there is of the stream. Raises `EngineError`.
    """
    manifest = graphs.manifest
    if manifest.normalised_audio:
        silent = np.maximum(context - frame, 0) * manifest.frame_samples
        pcm = np.stack([normalised(row, begin) for row, begin in zip(pcm, silent.tolist(), strict=True)])
    return graphs.hear(np.ascontiguousarray(pcm)).between(context, None)


def normalised(row: Float32, begin: int) -> Float32:
    """Samples `row` [T] with mean 0 and deviation 1 from `begin` on; what lies before is silence."""
    heard = row[begin:].astype(np.float64)
    normal = np.zeros_like(row)
    normal[begin:] = (heard - heard.mean()) / max(float(heard.std(ddof=1)), _QUIETEST)
    return normal
