"""How far a student is from its teacher, on held-out speech: in windows of recordings and in hops of live streams.

The reference is the teacher with many evaluations; the student and the teacher with equally few begin with the same
noise, so all difference is error. The control is the reference with other noise.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.base import Plan
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.losses import MotionPoints
from facestream_models.diffposetalk.stages.lessons import Lessons, Teacher
from facestream_models.diffposetalk.student import MOST_STEPS, Student, StudentSampler
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES
from facestream_models.diffposetalk.window import Person, StreamNoise
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm


@dataclass(frozen=True)
class ExamConfig:
    """`rows` windows at these scales, against `steps` evaluations of the teacher."""

    rows: int = 12
    steps: int = 32
    audio_scale: float = 1.0
    style_scale: float = 2.0


class _Made(NamedTuple):
    """Normalised motion [B, L, D] of whole windows, and of live ones [B, L, D], of which the last hop counts."""

    whole: Tensor
    live: Tensor


class _Answers(NamedTuple):
    """What is asked, and what the teacher says in as many evaluations as it likes and in few."""

    whole: Lessons
    live: Lessons
    reference: _Made
    other_noise: _Made
    in_few: dict[int, _Made]


class StudentExam:
    """The teacher's answers are made once, when they are needed."""

    def __init__(self, config: ExamConfig, teacher: Teacher, mesh: FaceMesh) -> None:
        self.config, self.teacher, self.mesh = config, teacher, mesh
        self._points = MotionPoints(teacher.styles.space, mesh)

    def __call__(self, student: Student) -> dict[str, float]:
        """Mean errors of lips (mm) and head (degrees) for each number of evaluations, and head speed as a share of the
        reference's. `teacher_` and `other_noise_` come before what the teacher does, `live_` before hops.
        """
        answers, sampler = self._answers, StudentSampler(student)
        found: dict[str, float] = {}
        for steps, few in answers.in_few.items():
            one = _Made(*(
                sampler(part.window, part.states[:, 0], steps) for part in (answers.whole, answers.live)
            ))  # fmt: skip
            found |= {f"{name}_{steps}": value for name, value in self._compared(one).items()}
            found |= {f"teacher_{name}_{steps}": value for name, value in self._compared(few).items()}
        return found | {f"other_noise_{name}": value for name, value in self._compared(answers.other_noise).items()}

    @cached_property
    def _answers(self) -> _Answers:
        config = self.config
        many = plan_named("dpm-solver++", cosine_schedule(), config.steps)
        whole, live = self._asked(many, first_seed=0)
        other = _Made(*(part.states[:, -1] for part in self._asked(many, first_seed=config.rows)))
        few = {}
        for steps in range(1, MOST_STEPS + 1):
            parts = self._asked(plan_named("dpm-solver++", cosine_schedule(), steps), 0, whole.states[:, -1])
            few[steps] = _Made(*(part.states[:, -1] for part in parts))
        return _Answers(whole, live, _Made(whole.states[:, -1], live.states[:, -1]), other, few)

    def _asked(self, plan: Plan, first_seed: int, motion: Tensor | None = None) -> tuple[Lessons, Lessons]:
        """Whole windows behind the true past, in the style of what comes after, and live ones that go on from `motion`.

        Without any, from the whole windows' own.
        """
        config, teacher, shape = self.config, self.teacher, self.teacher.shape
        windows = teacher.recordings.spread(config.rows, shape.past + shape.window + STYLE_FRAMES)
        spoken, features = teacher.styles.space(windows.motion), teacher.model.speech(windows.content)
        past = Past(spoken[:, : shape.past], features[:, : shape.past])
        audio = features[:, shape.past : shape.past + shape.window]
        style = teacher.styles(windows.motion[:, -STYLE_FRAMES:])
        person = Person(style.new_zeros(len(style), shape.identity_count), style)
        guidance = Guidance(config.audio_scale, config.style_scale)
        noises = [StreamNoise(CounterNoise(first_seed + row), 0) for row in range(config.rows)]
        lessons = teacher.config

        def follow(known: int, end: int, motion: Tensor) -> Lessons:
            speech = teacher.speech(audio, np.full(config.rows, end))
            return teacher.follow(speech, person, past, guidance, noises, np.full(config.rows, known), motion, plan)

        whole = follow(0, shape.window, torch.zeros_like(spoken[:, : shape.window]))
        before = whole.states[:, -1] if motion is None else motion
        return whole, follow(lessons.known_frames, lessons.known_frames + lessons.live_frames, before)

    def _compared(self, made: _Made) -> dict[str, float]:
        reference, shape = self._answers.reference, self.teacher.shape
        first = self.teacher.config.known_frames
        hop = slice(first, first + self.teacher.config.hop_frames)
        found: dict[str, float] = {}
        for place, one, other, frames in (
            ("", made.whole, reference.whole, slice(None)), ("live_", made.live, reference.live, hop)
        ):  # fmt: skip
            apart = point_errors_mm(self._points(one[:, frames]), self._points(other[:, frames]))
            found[f"{place}lips_mm"] = float(apart[..., self.mesh.is_lip].mean())
            if shape.head_rotation:
                # the step into the hop counts too: from the last frame that was known
                begun = slice(first - 1, hop.stop) if place else frames
                head, true = (self._head(motion[:, begun]) for motion in (one, other))
                found[f"{place}head_deg"] = float(torch.linalg.vector_norm(head - true, dim=2).mean())
                found[f"{place}head_speed_share"] = _speed(head) / max(_speed(true), 1e-6)
        return found

    def _head(self, motion: Tensor) -> Tensor:
        """Rotations [B, F, 3] in degrees."""
        restored: Tensor = self.teacher.styles.space.restored(motion)
        return torch.rad2deg(restored[..., self.teacher.shape.head_components])


def _speed(angles: Tensor) -> float:
    """Mean size of the change from frame to frame of `angles` [B, F, 3]."""
    return float(torch.linalg.vector_norm(angles.diff(dim=1), dim=2).mean())
