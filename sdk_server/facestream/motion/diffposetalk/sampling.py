"""From noise to motion: the loop of a sampler with guidance over one window of each row, in numpy around one graph.

Rows do not know each other. Those that take the same steps and need the same branches share evaluations of the network;
each has its own scales. Frames that were given out before are put back into every guess, so that what is new fits them
(inpainting; specification, section 10.5, option 2).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facestream.engines.diffposetalk import DiffPoseTalkGraphs, Memory, Stride
from facestream.motion.diffposetalk.guidance import Branch, Guidance
from facestream.motion.diffposetalk.noise import Noise
from facestream.motion.diffposetalk.samplers.base import Plan
from facestream.types import Float32


class Recipe(NamedTuple):
    """How one row is sampled; `plan` is an object that equal recipes share.

    With `is_distilled` the updates of the plan, which is one of DDIM then, are strides of the distilled network.
    """

    plan: Plan
    guidance: Guidance
    is_distilled: bool = False


class Window(NamedTuple):
    """One window of one row, normalised: what it follows, what it hears, what of it is known.

    `past_motion` [P, D], `past_audio` [P, W], `audio` [L, W]; `indicator` [L] is 1 for frames that are meant; `known`
    [K, D] are the first frames; `style` [S] or none; `first_frame` is the number of the first frame in the stream.
    """

    past_motion: Float32
    past_audio: Float32
    audio: Float32
    indicator: Float32
    known: Float32
    style: Float32 | None
    recipe: Recipe
    noise: Noise
    first_frame: int


def sample(graphs: DiffPoseTalkGraphs, windows: Sequence[Window]) -> list[Float32]:
    """Normalised motion [L, D] of a window of each row. Raises `EngineError`."""
    motion: dict[int, Float32] = {}
    groups: dict[tuple[Plan, tuple[Branch, ...]], list[int]] = {}
    in_strides: dict[tuple[Plan, int], list[int]] = {}
    for row, window in enumerate(windows):
        plan, guidance, is_distilled = window.recipe
        if is_distilled:
            in_strides.setdefault((plan, len(window.audio)), []).append(row)
            continue
        weights = guidance.weights(has_style=window.style is not None)
        groups.setdefault((plan, tuple(weights)), []).append(row)
    for (plan, branches), rows in groups.items():
        motion |= zip(rows, _sample_alike(graphs, [windows[row] for row in rows], plan, branches), strict=True)
    for (plan, _), rows in in_strides.items():
        motion |= zip(rows, _sample_in_strides(graphs, [windows[row] for row in rows], plan), strict=True)
    return [motion[row] for row in range(len(windows))]


def _sample_alike(
    graphs: DiffPoseTalkGraphs, windows: Sequence[Window], plan: Plan, branches: tuple[Branch, ...]
) -> Float32:
    """The same for rows that share `plan` and `branches`."""
    rows, size = len(windows), _size(graphs, windows)
    weights = np.array([[one.recipe.guidance.weights(has_style=one.style is not None)[b] for one in windows]
                        for b in branches], np.float32)[:, :, None, None]  # fmt: skip
    memory = _memory(graphs, windows, branches)
    person = np.stack([_person(graphs, one, branch) for branch in branches for one in windows])
    indicator, past_motion = (
        np.stack([getattr(one, name) for one in windows]) for name in ("indicator", "past_motion")
    )
    is_known, known = _known(windows, size)
    x = np.stack([one.noise.start(one.first_frame, size) for one in windows])
    earlier = np.zeros_like(x)
    for update in plan:
        step = np.full(rows, update.step, np.int64)
        guesses = graphs.guess(x, step, indicator, past_motion, person, memory)
        guess: Float32 = (weights * guesses.reshape(len(branches), rows, *size)).sum(axis=0)
        guess = np.where(is_known, known, guess)
        x = np.asarray(np.float32(update.noisy) * x + np.float32(update.clean) * guess, np.float32)
        if update.earlier:
            x += np.float32(update.earlier) * earlier
        if update.fresh:
            fresh = np.stack([one.noise.fresh(update.step, one.first_frame, size) for one in windows])
            x += np.float32(update.fresh) * fresh
        earlier = guess
    return x


def _sample_in_strides(graphs: DiffPoseTalkGraphs, windows: Sequence[Window], plan: Plan) -> Float32:
    """The same by the distilled network. It is handed known frames finished, and noise alone behind the end."""
    rows, size = len(windows), _size(graphs, windows)
    # a scale of 0 is nobody's style, whoever's it is
    styled = [one if one.recipe.guidance.style_scale > 0.0 else one._replace(style=None) for one in windows]
    scales = np.array(
        [(one.recipe.guidance.audio_scale, 0.0 if one.style is None else one.recipe.guidance.style_scale)
         for one in styled], np.float32,
    )  # fmt: skip
    branch = Branch(audio=True, style=True)
    memory = _memory(graphs, windows, (branch,))
    person = np.stack([_person(graphs, one, branch) for one in styled])
    indicator, past_motion = (
        np.stack([getattr(one, name) for one in windows]) for name in ("indicator", "past_motion")
    )
    is_known, known = _known(windows, size)
    x = np.stack([one.noise.start(one.first_frame, size) for one in windows])
    for update, following in zip(plan, [*(one.step for one in plan[1:]), 0], strict=True):
        here, there = (np.full(rows, step, np.int64) for step in (update.step, following))
        stride = Stride(here, there, scales, is_known[:, :, 0].astype(np.float32))
        given = np.where(is_known, known, x)
        guess = graphs.guess_stride(given, stride, indicator, past_motion, person, memory)
        guess = np.where(is_known, known, guess * indicator[:, :, None])
        x = np.asarray(np.float32(update.noisy) * x + np.float32(update.clean) * guess, np.float32)
    return x


def _memory(graphs: DiffPoseTalkGraphs, windows: Sequence[Window], branches: tuple[Branch, ...]) -> Memory:
    """What each row of each branch hears; branches that are given the same audio share it."""
    rows = len(windows)
    kinds = sorted({branch.audio for branch in branches})
    past = np.stack([one.past_audio for one in windows])
    nothing = np.broadcast_to(graphs.learned.null_audio, (rows, len(windows[0].audio), graphs.width))
    spoken = np.stack([one.audio for one in windows])
    memory = graphs.remember(
        np.concatenate([past] * len(kinds)), np.concatenate([spoken if kind else nothing for kind in kinds])
    )
    index: npt.NDArray[np.intp] = np.concatenate(
        [kinds.index(branch.audio) * rows + np.arange(rows, dtype=np.intp) for branch in branches]
    )
    return memory if len(branches) == 1 else memory.rows(index)


def _size(graphs: DiffPoseTalkGraphs, windows: Sequence[Window]) -> tuple[int, int]:
    """Frames and components of the windows, which are alike."""
    return len(windows[0].audio), graphs.motion_count


def _person(graphs: DiffPoseTalkGraphs, window: Window, branch: Branch) -> Float32:
    """Identity (the mean one) and style [I + S]."""
    style = window.style if branch.style and window.style is not None else graphs.learned.null_style
    return np.concatenate([np.zeros(graphs.manifest.identity_width, np.float32), style])


def _known(windows: Sequence[Window], size: tuple[int, int]) -> tuple[npt.NDArray[np.bool_], Float32]:
    """Which frames [B, L, 1] are known, and their motion [B, L, D]."""
    counts = np.array([len(one.known) for one in windows])
    known = np.zeros((len(windows), *size), np.float32)
    for place, one in zip(known, windows, strict=True):
        place[: len(one.known)] = one.known
    return (np.arange(size[0]) < counts[:, None])[:, :, None], known
