"""The emotion of speech while it is spoken: heard again now and then, not in silence, and low-pass filtered."""

import math
from itertools import pairwise
from typing import Protocol

import numpy as np

from facestream.types import Float32

EVERY_CODES = 5
"""Codes between two hearings: 0.8 s."""
WINDOW_CODES = 13
"""Codes that a hearing takes, at most: 2.08 s, what the embedding is trained on."""
FOLLOWING_S = 1.5
"""Time constant of the filter. The first hearings, of little sound, are averaged until it is in swing."""
CODE_S = 0.16

SILENT_RMS = 1e-3
"""-60 dBFS: below it nobody speaks and nothing can be heard."""

_SHARE = 1.0 - math.exp(-EVERY_CODES * CODE_S / FOLLOWING_S)


class Listener(Protocol):
    """What hears: `engines.deeptalk.DeepTalkGraphs`."""

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        """Mean and log-variance `[B, D]` of `pcm` `[B, 2560 K]`."""
        ...


def is_speech(pcm: Float32) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows of `pcm` `[B, T]` are loud enough to be heard."""
    return np.asarray(np.sqrt(np.mean(np.square(pcm, dtype=np.float64), axis=1)) >= SILENT_RMS)


def follow(
    mean: Float32, log_variance: Float32, counts: Float32, heard: tuple[Float32, Float32], loud: Float32
) -> None:
    """Move running Gaussians `[B, D]` on by what was heard, in place; `counts` `[B]` are hearings so far.

    A silent row (`loud` `[B]` is 0) keeps what it has, unless it has nothing: then what was heard will do for now.
    """
    share = np.maximum(np.float32(_SHARE), 1.0 / (counts + 1.0)) * np.where(loud > 0, 1.0, counts == 0)
    mean += share[:, None].astype(np.float32) * (heard[0] - mean)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True) + np.float32(1e-8)
    log_variance += share[:, None].astype(np.float32) * (heard[1] - log_variance)
    counts += loud


def hear_whole(listener: Listener, pcm: Float32, code_samples: int, codes: int, every: int) -> tuple[Float32, Float32]:
    """Mean and log-variance `[1, D]` of a whole recording `[1, K * code_samples]`.

    Silence before and behind the speech is not heard: with the 0.4 s that follow the end of a recording, studio prompts
    are heard so differently that a lip reader understands .8 % fewer of their classes (2026-11-21). What is left is
    heard in equal parts of at most `every` codes, of each the loudest `codes` in a row; silent ones are left out where
    others are not, and the rest is averaged.
    """
    pcm = spoken(pcm, code_samples)
    count = pcm.shape[1] // code_samples
    borders = np.linspace(0, count, -(-count // every) + 1).round().astype(int) * code_samples
    parts = [_loudest(pcm[:, begin:end], code_samples, codes) for begin, end in pairwise(borders.tolist())]
    loud = [part for part in parts if is_speech(part)[0]] or parts
    heard = [listener.hear(np.ascontiguousarray(part)) for part in loud]
    mean = np.mean([one for one, _ in heard], axis=0)
    log_variance = np.mean([one for _, one in heard], axis=0)
    return mean / (np.linalg.norm(mean, axis=1, keepdims=True) + np.float32(1e-8)), log_variance


def spoken(pcm: Float32, code_samples: int) -> Float32:
    """`pcm` `[1, T]` from the first code that is not silent to the last one; all of it where all is silent."""
    loud = np.flatnonzero(is_speech(pcm.reshape(-1, code_samples)))
    return pcm[:, loud[0] * code_samples : (loud[-1] + 1) * code_samples] if loud.size else pcm


def _loudest(pcm: Float32, code_samples: int, codes: int) -> Float32:
    """The `codes` in a row of `pcm` `[1, T]` that hold the most energy, the first where several do."""
    energy = np.square(pcm.reshape(-1, code_samples), dtype=np.float64).sum(axis=1)
    until = np.concatenate([[0.0], np.cumsum(energy)])
    sums = until[codes:] - until[:-codes]
    first = int(sums.argmax()) if sums.size else 0
    return pcm[:, first * code_samples : (first + codes) * code_samples]
