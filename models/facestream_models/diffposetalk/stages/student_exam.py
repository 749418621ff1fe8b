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
from facestream_models.diffposetalk.stages.lessons import HopConfig, Lessons, Teacher, live_cut
from facestream_models.diffposetalk.student import MOST_STEPS, Student, StudentSampler
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES
from facestream_models.diffposetalk.window import Person, StreamNoise, speech_up_to
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm


@dataclass(frozen=True)
class ExamConfig:
    """`rows` windows at these scales, against `steps` evaluations of the teacher."""

    rows: int = 12
    steps: int = 32
    audio_scale: float = 1.0
    style_scale: float = 2.0


class _Answers(NamedTuple):
    """What is asked, and what the teacher says in as many evaluations as it likes, with other noise, and in few."""

    whole: Lessons
    live: Lessons
    other_noise: Tensor
    in_few: dict[int, Tensor]


class StudentExam:
    """The teacher's answers are made once, when they are needed."""

    def __init__(self, config: ExamConfig, live: HopConfig, teacher: Teacher, mesh: FaceMesh) -> None:
        self.config, self.live, self.teacher, self.mesh = config, live, teacher, mesh
        self._points = MotionPoints(teacher.styles.space, mesh)

    def __call__(self, student: Student) -> dict[str, float]:
        """Mean errors of lips (mm) and head (degrees) for each number of evaluations, and head speed as a share of the
        reference's. `teacher_` and `other_noise_` come before what the teacher does, `live_` before hops.
        """
        answers, sampler = self._answers, StudentSampler(student)
        whole, live = answers.whole, answers.live
        found: dict[str, float] = {}
        for steps, few in answers.in_few.items():
            made = sampler(whole.window, whole.states[:, 0], steps)
            on = sampler(live.window, live.states[:, 0], steps)
            found |= {f"{name}_{steps}": value for name, value in self._compared(made, whole).items()}
            found |= {f"live_{name}_{steps}": value for name, value in self._compared(on, live).items()}
            found |= {f"teacher_{name}_{steps}": value for name, value in self._compared(few, whole).items()}
        other = self._compared(answers.other_noise, whole)
        return found | {f"other_noise_{name}": value for name, value in other.items()}

    @cached_property
    def _answers(self) -> _Answers:
        config = self.config
        many = plan_named("dpm-solver++", cosine_schedule(), config.steps)
        whole = self._asked(many)
        live = live_cut(whole, self.live, self.teacher.silence, np.random.default_rng(0))
        other = self._asked(many, first_seed=config.rows).states[:, -1]
        in_few = {
            steps: self._asked(plan_named("dpm-solver++", cosine_schedule(), steps)).states[:, -1]
            for steps in range(1, MOST_STEPS + 1)
        }
        return _Answers(whole, live, other, in_few)

    def _asked(self, plan: Plan, first_seed: int = 0) -> Lessons:
        """Whole windows behind the true past, in the style of what comes after."""
        config, teacher, shape = self.config, self.teacher, self.teacher.shape
        windows = teacher.recordings.spread(config.rows, shape.past + shape.window + STYLE_FRAMES)
        spoken, features = teacher.styles.space(windows.motion), teacher.model.speech(windows.content)
        past = Past(spoken[:, : shape.past], features[:, : shape.past])
        audio = features[:, shape.past : shape.past + shape.window]
        style = teacher.styles(windows.motion[:, -STYLE_FRAMES:])
        person = Person(style.new_zeros(len(style), shape.identity_count), style)
        noises = [StreamNoise(CounterNoise(first_seed + row), 0) for row in range(config.rows)]
        speech = speech_up_to(torch.full((config.rows,), shape.window), audio, teacher.silence)
        return teacher.follow(speech, person, past, Guidance(config.audio_scale, config.style_scale), noises, plan)

    def _compared(self, made: Tensor, lessons: Lessons) -> dict[str, float]:
        """`made` [B, L, D] with where the lessons lead, over the frames that are to be made."""
        window, goal = lessons.window, lessons.states[:, -1]
        counts = (window.indicator * (1.0 - window.known.counts)) > 0.0
        apart = point_errors_mm(self._points(made), self._points(goal))
        found = {"lips_mm": float(apart[..., self.mesh.is_lip][counts].mean())}
        if self.teacher.shape.head_rotation:
            head, true = (self._head(motion) for motion in (made, goal))
            found["head_deg"] = float(torch.linalg.vector_norm(head - true, dim=2)[counts].mean())
            # the step into a hop counts too: from the last frame that was known
            speed, true_speed = (_speeds(one)[counts[:, 1:]].mean() for one in (head, true))
            found["head_speed_share"] = float(speed / true_speed.clamp(min=1e-6))
        return found

    def _head(self, motion: Tensor) -> Tensor:
        """Rotations [B, F, 3] in degrees."""
        restored: Tensor = self.teacher.styles.space.restored(motion)
        return torch.rad2deg(restored[..., self.teacher.shape.head_components])


def _speeds(angles: Tensor) -> Tensor:
    """Size of the change from frame to frame of `angles` [B, F, 3]."""
    speeds: Tensor = torch.linalg.vector_norm(angles.diff(dim=1), dim=2)
    return speeds
