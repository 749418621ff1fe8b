"""What a teacher does with noise, kept for its student: motion on the way from the same noise, under many conditions.

Lessons come in groups whose rows share the scales of guidance. A group is made twice: as windows of a recording, and as
hops of a live stream, where the window begins with frames given out before and ends two frames behind the hop. A group
depends on its number alone, so a run that was stopped finds the lessons it had.
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
from facestream_models.diffposetalk.window import Known, Person, Recipe, Speech, StreamNoise, WindowSampler

_NEAR = 0.4
"""Share of a stride."""


@dataclass(frozen=True)
class LessonConfig:
    """`rows` a group; about `teacher_steps` evaluations, which meet every step of the student's (`teacher_plan`).

    Chances: that speech is guided, that a style is worn, that its scale is exactly 1, that a window begins a stream,
    that it ends early, that a live one is not yet full. Scales are drawn evenly, speech from 1, style from 0.
    Live windows hold up to `known_frames`, and `live_frames` behind them, in hops of `hop_frames`.
    """

    rows: int = 8
    teacher_steps: int = 12
    speech_guided: float = 0.4
    styled: float = 0.85
    style_plain: float = 0.1
    begins: float = 0.35
    ends: float = 0.3
    filling: float = 0.35
    most_audio_scale: float = 2.0
    most_style_scale: float = 4.0
    known_frames: int = 60
    live_frames: int = 6
    hop_frames: int = 4


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
        self, config: LessonConfig, model: DiffPoseTalk, styles: StyleNetwork, recordings: Recordings, seed: int
    ) -> None:
        self.config, self.model, self.styles, self.recordings = config, model, styles, recordings
        self.shape, self._seed = model.shape, seed
        self.sampler = WindowSampler(model.requires_grad_(False))
        self.nodes = Grids().steps
        plan = teacher_plan(config.teacher_steps)
        passed = [*(update.step for update in plan), 0]
        self._plan, self._kept = plan, [passed.index(step) for step in self.nodes]
        with torch.no_grad():
            assert isinstance(model.speech, ContentMap)
            self._silence = model.speech.lasting(recordings.silence)

    @torch.no_grad()
    def group(self, number: int) -> list[Lessons]:
        """Lessons of group `number`: windows of recordings, then live ones of the same speech and noise."""
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
        nothing = np.zeros(config.rows, np.int64)
        whole = self.follow(
            self.speech(audio, ends), person, past, guidance, noises, nothing, motion[:, : shape.window]
        )
        hops = config.known_frames // config.hop_frames
        full = np.full(config.rows, hops)
        known = config.hop_frames * np.where(
            random.random(config.rows) < config.filling, random.integers(0, hops, size=config.rows), full
        )
        known = np.minimum(known, ends // config.hop_frames * config.hop_frames)  # nothing is made behind the end
        live = self.speech(audio, np.minimum(known + config.live_frames, shape.window))
        return [whole, self.follow(live, person, past, guidance, noises, known, whole.states[:, -1])]

    def follow(
        self,
        speech: Speech,
        person: Person,
        past: Past,
        guidance: Guidance,
        noises: list[StreamNoise],
        known: np.ndarray,
        motion: Tensor,
        plan: Plan | None = None,
    ) -> Lessons:
        """The teacher's way from noise; of each row the first `known` [B] frames of `motion` [B, L, D] are given.

        With a `plan` of another sampling, states are all that it passes.
        """
        counts = (torch.arange(self.shape.window) < torch.from_numpy(known)[:, None]).float()
        given = Known(counts, motion)
        states = self.sampler.states(speech, person, past, Recipe(plan or self._plan, guidance), noises, given)
        scales = torch.tensor([[guidance.audio_scale, guidance.style_scale]]).expand(len(counts), -1)
        window = StudentWindow(
            self.model.person(person.identity, person.style), past, speech.features, speech.indicator, scales, given
        )
        kept = range(len(states)) if plan else self._kept
        return Lessons(window, torch.stack([states[place] for place in kept], dim=1))

    def _guidance(self, random: np.random.Generator) -> Guidance:
        config = self.config
        speech, styled, plain = random.random(3)
        audio_scale = random.uniform(1.0, config.most_audio_scale) if speech < config.speech_guided else 1.0
        style_scale = 1.0 if plain < config.style_plain else random.uniform(0.0, config.most_style_scale)
        return Guidance(audio_scale, style_scale if styled < config.styled else 0.0)

    def _person(self, drawn: Windows, random: np.random.Generator, *, styled: bool) -> Person:
        """Half of the rows wear the style of another one."""
        identity = drawn.motion.new_zeros(len(drawn.motion), self.shape.identity_count)
        if not styled:
            return Person(identity, None)
        style: Tensor = self.styles(drawn.motion[:, -STYLE_FRAMES:])
        other = torch.from_numpy(random.random(len(style)) < 0.5)
        return Person(identity, torch.where(other[:, None], style.roll(1, 0), style))

    def _spoken(self, drawn: Windows) -> tuple[Tensor, Tensor]:
        motion: Tensor = self.styles.space(drawn.motion)
        features: Tensor = self.model.speech(drawn.content)
        return motion, features

    def _past(self, motion: Tensor, features: Tensor, random: np.random.Generator) -> Past:
        begins = torch.from_numpy(random.random(len(motion)) < self.config.begins)[:, None, None]
        start, true = self.model.start(len(motion)), Past(motion[:, : self.shape.past], features[:, : self.shape.past])
        return Past(*(torch.where(begins, none, some) for none, some in zip(start, true, strict=True)))

    def speech(self, audio: Tensor, ends: np.ndarray) -> Speech:
        """`audio` [B, L, W] up to `ends` [B], then silence."""
        indicator = (torch.arange(audio.shape[1]) < torch.from_numpy(ends)[:, None]).float()
        kept = indicator[:, :, None]
        return Speech(audio * kept + self._silence * (1.0 - kept), indicator)


class LessonStore:
    """The last `groups` groups of a teacher's lessons up to some number, made where they are missing."""

    def __init__(self, teacher: Teacher, groups: int) -> None:
        self._teacher, self._groups = teacher, groups
        self._kept: deque[list[Lessons]] = deque(maxlen=groups)
        self._next: int | None = None

    def up_to(self, number: int) -> list[list[Lessons]]:
        """All groups from `number` - `groups` + 1 on, that one included; numbers must not fall."""
        first = number - self._groups + 1
        for missing in range(first if self._next is None else max(self._next, first), number + 1):
            self._kept.append(self._teacher.group(missing + self._groups))  # the first number may be negative
        self._next = number + 1
        return list(self._kept)
