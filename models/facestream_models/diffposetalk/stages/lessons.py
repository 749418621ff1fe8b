"""What a teacher does with noise, kept for its student: motion on the way from the same noise, under many conditions.

Lessons come in groups whose rows share the scales of guidance, and are whole windows as of a recording. A hop of a live
stream is a cut out of one (`live_cut`): frames that were given out are the teacher's own, a few new ones follow, and a
few behind them that are not meant, as the runtime fills such a window. So a live stream learns to go where a recording
does, which saw all that follows. A group depends on its number alone, so a run that was stopped finds the lessons it
had.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.base import Plan, log_clarity, steps_by_clarity
from facestream.motion.diffposetalk.samplers.dpm_solver import dpm_solver_along
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.compact import ContentMap
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.recordings import Recordings, Windows
from facestream_models.diffposetalk.stages.style import StyleNetwork
from facestream_models.diffposetalk.student import Grids, StudentWindow
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES
from facestream_models.diffposetalk.window import (
    Known,
    Person,
    Recipe,
    Speech,
    StreamNoise,
    WindowSampler,
    frames_before,
    speech_up_to,
)

_NEAR = 0.4
"""Share of a stride."""


@dataclass(frozen=True)
class LessonConfig:
    """`rows` a group; about `teacher_steps` evaluations, which meet every step of the student's (`teacher_plan`).

    Chances: that speech is guided, that a style is worn, that it is one of the named ones, that its scale is exactly 1,
    that a window begins a stream, that it ends early. Scales are drawn evenly, speech from 1, style from 0.
    """

    rows: int = 8
    teacher_steps: int = 12
    speech_guided: float = 0.4
    styled: float = 0.85
    named: float = 0.0
    style_plain: float = 0.1
    begins: float = 0.35
    ends: float = 0.3
    most_audio_scale: float = 2.0
    most_style_scale: float = 4.0


@dataclass(frozen=True)
class HopConfig:
    """A live window: up to `known` frames that were given out, `fresh` ones and `beyond` that are not meant, as many
    as are served (`DistilledStudent` and `Pieces` in `bundle`).

    `filling` is the chance that the stream has only begun, a whole `hop` or several ago.
    """

    known: int = 10
    fresh: int = 6
    beyond: int = 8
    hop: int = 4
    filling: float = 0.2

    @property
    def frames(self) -> int:
        """Of a window."""
        return self.known + self.fresh + self.beyond


class Lessons(NamedTuple):
    """Of B rows: the `window`, and `states` [B, N, L, D] at the N steps of all `Grids`, from noise to motion."""

    window: StudentWindow
    states: Tensor


def picked(lessons: Sequence[Lessons], rows: Sequence[int]) -> Lessons:
    """One row of each of `lessons`, as a batch."""

    def stacked(values: Sequence[Any]) -> Any:
        if isinstance(values[0], Tensor):
            return torch.stack([value[row] for value, row in zip(values, rows, strict=True)])
        return type(values[0])(*(stacked(parts) for parts in zip(*values, strict=True)))

    found: Lessons = stacked(lessons)
    return found


def live_cut(lessons: Lessons, config: HopConfig, silence: Tensor, random: np.random.Generator) -> Lessons:
    """A hop [B, L] of the stream that whole windows are, somewhere in each of them, as the runtime fills its window.

    Frames behind what is made hear lasting `silence` [W]. No hop lies behind the end of its window, unless that is
    shorter than one.
    """
    window, motion = lessons.window, lessons.states[:, -1]
    frames, past = config.frames, window.past.motion.shape[1]
    before = Past(torch.cat([window.past.motion, motion], dim=1), torch.cat([window.past.audio, window.audio], dim=1))
    ends = window.indicator.sum(dim=1).long().numpy()
    firsts = random.integers(np.clip(ends - frames, 0, None) + config.known, endpoint=True)
    filling = config.hop * random.integers(-(-config.known // config.hop), size=len(ends))
    firsts = np.where(random.random(len(ends)) < config.filling, np.minimum(filling, firsts), firsts)
    known = torch.from_numpy(np.minimum(firsts, config.known))
    place = (torch.from_numpy(firsts) - known)[:, None] + torch.arange(past + frames)  # in what was before and is now
    row = torch.arange(len(ends))[:, None]
    motions, audio = before.motion[row, place], before.audio[row, place]
    now = place[:, past:] - past
    speech = speech_up_to(known + config.fresh, audio[:, past:], silence)
    cut = StudentWindow(
        window.person,
        Past(motions[:, :past], audio[:, :past]),
        speech.features,
        speech.indicator,
        window.scales,
        Known(frames_before(known, frames), motions[:, past:]),
    )
    return Lessons(cut, lessons.states[row, :, now].transpose(1, 2))


def teacher_plan(teacher_steps: int) -> Plan:
    """DPM-Solver++ through every step at which a stride of the student begins or ends; the others are evenly clear.

    One that is nearly met anyway gives way: behind a tiny stride the next one would extrapolate far.
    """
    schedule = cosine_schedule()
    clarity = log_clarity(schedule)
    met = {step for step in Grids().steps if step > 0}
    own = [step for step, _ in steps_by_clarity(schedule, teacher_steps)]
    near = _NEAR * (clarity[own[-1] - 1] - clarity[own[1] - 1]) / max(len(own) - 2, 1)
    others = {one for one in own if all(abs(clarity[one - 1] - clarity[step - 1]) > near for step in met)}
    return dpm_solver_along(schedule, list(pairwise([*sorted(met | others, reverse=True), 0])))


class Teacher:
    """A trained denoiser behind the trained styles, with recordings to speak of."""

    def __init__(
        self,
        config: LessonConfig,
        model: DiffPoseTalk,
        styles: StyleNetwork,
        recordings: Recordings,
        seed: int,
        named: Tensor | None = None,
    ) -> None:
        """`named` are styles [N, S] that anyone may wear."""
        if config.named > 0.0 and named is None:
            raise ValueError(f"named {config.named:g}: there are no named styles to wear")
        self.config, self.model, self.styles, self.recordings = config, model, styles, recordings
        self.shape, self._seed, self._named = model.shape, seed, named
        self.sampler = WindowSampler(model.requires_grad_(False))
        self.nodes = Grids().steps
        plan = teacher_plan(config.teacher_steps)
        passed = [*(update.step for update in plan), 0]
        self._plan, self._kept = plan, [passed.index(step) for step in self.nodes]
        with torch.no_grad():
            assert isinstance(model.speech, ContentMap)
            self.silence = model.speech.lasting(recordings.silence)
            """Features [W]."""

    @torch.no_grad()
    def group(self, number: int) -> Lessons:
        """Lessons of group `number`."""
        config, shape = self.config, self.shape
        random = np.random.default_rng([self._seed, number])
        guidance = self._guidance(random)
        frames = shape.past + shape.window + STYLE_FRAMES
        drawn = self.recordings.draw(config.rows, frames, random)
        person = self._person(drawn, random, styled=guidance.style_scale > 0.0)
        motion, features = self._spoken(drawn)
        past = self._past(motion, features, random)
        audio = features[:, shape.past : shape.past + shape.window]
        early = random.integers(1, shape.window, size=config.rows)
        ends = np.where(random.random(config.rows) < config.ends, early, shape.window)
        noises = [StreamNoise(CounterNoise(number * config.rows + row), 0) for row in range(config.rows)]
        return self.follow(speech_up_to(torch.from_numpy(ends), audio, self.silence), person, past, guidance, noises)

    def follow(
        self,
        speech: Speech,
        person: Person,
        past: Past,
        guidance: Guidance,
        noises: list[StreamNoise],
        plan: Plan | None = None,
    ) -> Lessons:
        """The teacher's way from noise. With a `plan` of another sampling, states are all that it passes."""
        states = self.sampler.states(speech, person, past, Recipe(plan or self._plan, guidance), noises)
        counts = torch.zeros_like(speech.indicator)
        scales = torch.tensor([[guidance.audio_scale, guidance.style_scale]]).expand(len(counts), -1)
        window = StudentWindow(
            self.model.person(person.identity, person.style), past, speech.features, speech.indicator, scales,
            Known(counts, torch.zeros_like(states[-1])),
        )  # fmt: skip
        kept = range(len(states)) if plan else self._kept
        return Lessons(window, torch.stack([states[place] for place in kept], dim=1))

    def _guidance(self, random: np.random.Generator) -> Guidance:
        config = self.config
        speech, styled, plain = random.random(3)
        audio_scale = random.uniform(1.0, config.most_audio_scale) if speech < config.speech_guided else 1.0
        style_scale = 1.0 if plain < config.style_plain else random.uniform(0.0, config.most_style_scale)
        return Guidance(audio_scale, style_scale if styled < config.styled else 0.0)

    def _person(self, drawn: Windows, random: np.random.Generator, *, styled: bool) -> Person:
        """Of those who wear no named style, half wear that of another row."""
        identity = drawn.motion.new_zeros(len(drawn.motion), self.shape.identity_count)
        if not styled:
            return Person(identity, None)
        style: Tensor = self.styles(drawn.motion[:, -STYLE_FRAMES:])
        other = torch.from_numpy(random.random(len(style)) < 0.5)
        style = torch.where(other[:, None], style.roll(1, 0), style)
        if self._named is not None:
            is_named = torch.from_numpy(random.random(len(style)) < self.config.named)
            chosen = self._named[torch.from_numpy(random.integers(len(self._named), size=len(style)))]
            style = torch.where(is_named[:, None], chosen, style)
        return Person(identity, style)

    def _spoken(self, drawn: Windows) -> tuple[Tensor, Tensor]:
        motion: Tensor = self.styles.space(drawn.motion)
        features: Tensor = self.model.speech(drawn.content)
        return motion, features

    def _past(self, motion: Tensor, features: Tensor, random: np.random.Generator) -> Past:
        begins = torch.from_numpy(random.random(len(motion)) < self.config.begins)[:, None, None]
        start, true = self.model.start(len(motion)), Past(motion[:, : self.shape.past], features[:, : self.shape.past])
        return Past(*(torch.where(begins, none, some) for none, some in zip(start, true, strict=True)))


class LessonStore:
    """The last `groups` groups of a teacher's lessons up to some number, made where they are missing."""

    def __init__(self, teacher: Teacher, groups: int) -> None:
        self._teacher, self._groups = teacher, groups
        self._kept: deque[Lessons] = deque(maxlen=groups)
        self._next: int | None = None

    def up_to(self, number: int) -> list[Lessons]:
        """All groups from `number` - `groups` + 1 on, that one included; numbers must not fall."""
        first = number - self._groups + 1
        for missing in range(first if self._next is None else max(self._next, first), number + 1):
            self._kept.append(self._teacher.group(missing + self._groups))  # the first number may be negative
        self._next = number + 1
        return list(self._kept)
