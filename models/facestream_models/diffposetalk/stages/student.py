"""Stage `student`: many guided evaluations of the trained denoiser, learned as one to four of its student's.

    lessons of the teacher ─> rows at random ─> a stride of one of the grids ─> guess that ends where the teacher ends
                                                 from the teacher's state, or from where the student's strides led

The teacher makes new lessons as training goes on, and each is used several times. Regression to the end of a way from
the same noise keeps what a mean over noises would lose: how far heads move (`head_speed_share`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.losses import LossWeights, MotionPoints, motion_terms
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.lessons import LessonConfig, Lessons, LessonStore, Teacher, picked
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.stages.student_exam import ExamConfig, StudentExam
from facestream_models.diffposetalk.stages.style import StyleNetwork
from facestream_models.diffposetalk.student import MOST_STEPS, Grids, Stride, Student, StudentSampler
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig


def _to_the_teacher() -> LossWeights:
    """The paper's without those that ask for smoothness, a student is to be as smooth as its teacher.

    More weight on the head: a student's error of the head is small beside that of the face from the start, and would
    hardly be learned.
    """
    return LossWeights(smooth=0.0, head=2.0, head_velocity=20.0, head_smooth=0.0, head_transition=0.0)


@dataclass(frozen=True)
class StudentConfig:
    """`rows` a batch, out of the last `groups` of lessons; a new group comes every `renew_every` steps.

    `own_way` is the share of rows that begin where the student's own strides led. A frame of a live window counts
    `live_weight` times: it has few. Losses are taken on one in `every_point` points of the face.
    """

    rows: int = 16
    groups: int = 24
    renew_every: int = 8
    own_way: float = 0.5
    live_weight: float = 4.0
    every_point: int = 8
    lessons: LessonConfig = field(default_factory=LessonConfig)
    exam: ExamConfig = field(default_factory=ExamConfig)
    run: RunConfig = field(default_factory=RunConfig)
    weights: LossWeights = field(default_factory=_to_the_teacher)


class StudentStage:
    """`model` is the trained teacher, `told` the facts of its run; neither it nor `styles` changes."""

    def __init__(
        self,
        config: StudentConfig,
        model: DiffPoseTalk,
        told: Mapping[str, Any],
        training: Recordings,
        held_out: Recordings,
        styles: StyleNetwork,
        mesh: FaceMesh,
    ) -> None:
        self.config, self.shape, self._told = config, model.shape, told
        model, styles = model.eval().requires_grad_(False), styles.eval().requires_grad_(False)
        self.student = Student(model.denoiser)
        self.points = MotionPoints(styles.space, some_points(mesh, slice(None, None, config.every_point)))
        self.grids = Grids()
        seed = config.run.seed
        self._store = LessonStore(Teacher(config.lessons, model, styles, training, seed), config.groups)
        self._exam = StudentExam(config.exam, Teacher(config.lessons, model, styles, held_out, seed), mesh)
        self._noise_left = torch.from_numpy(np.sqrt(1.0 - cosine_schedule().kept)).float()

    @property
    def network(self) -> nn.Module:
        return self.student

    @property
    def facts(self) -> Mapping[str, Any]:
        lessons = self.config.lessons
        return {
            **self._told,
            "most_steps": MOST_STEPS,
            "audio_scales": [1.0, lessons.most_audio_scale],
            "style_scales": [0.0, lessons.most_style_scale],
        }

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        config, rows = self.config, self.config.rows
        groups = self._store.up_to(round(progress * config.run.steps) // config.renew_every)
        numbers, kinds = random.integers(len(groups), size=rows), random.integers(2, size=rows)
        places = random.integers(config.lessons.rows, size=rows)
        lessons = picked([groups[number][kind] for number, kind in zip(numbers, kinds, strict=True)], places.tolist())
        window = lessons.window
        grid = torch.from_numpy(random.integers(1, MOST_STEPS + 1, size=rows))
        place = torch.from_numpy(random.integers(0, grid.numpy()))
        here, there = self.grids.ends(grid, place)
        own = torch.from_numpy(random.random(rows) < config.own_way) & (place > 0)
        noisy = torch.where(own[:, None, None], self._led(lessons, grid, place, own), self._state(lessons, here))
        true = window.settled(self.grids.guess_for(grid, place, noisy, self._state(lessons, there)))
        made = self.student(
            window.known.put_into(noisy), Stride(here, there, window.scales, window.known.counts),
            window.person, window.past, window.audio, window.indicator,
        )  # fmt: skip
        counts = window.indicator * (1.0 - window.known.counts)
        counts = counts * torch.from_numpy(np.where(kinds == 1, config.live_weight, 1.0)).float()[:, None]
        return motion_terms(window.settled(made), true, counts, self.shape, self.points, config.weights)

    @torch.no_grad()
    def figures(self, network: nn.Module) -> dict[str, float]:
        """See `StudentExam`."""
        assert isinstance(network, Student)
        return self._exam(network)

    def _state(self, lessons: Lessons, step: Tensor) -> Tensor:
        """Where the teacher was at `step` [B]; behind the end of a row, where it thinks nothing of account, noise."""
        numbers = [self.grids.steps.index(int(one)) for one in step]
        state = lessons.states[torch.arange(len(step)), numbers]
        noise = self._noise_left[step][:, None, None] * lessons.states[:, 0]
        return torch.where(lessons.window.indicator[:, :, None] > 0.0, state, noise)

    def _led(self, lessons: Lessons, grid: Tensor, place: Tensor, chosen: Tensor) -> Tensor:
        """Where the student's own strides from noise lead the `chosen` [B] rows, up to their `place`; others: zeros."""
        led, rows = torch.zeros_like(lessons.states[:, 0]), chosen.nonzero()[:, 0].tolist()
        if rows:
            some = picked([lessons] * len(rows), rows)
            states = StudentSampler(self.student).states(some.window, some.states[:, 0], grid[rows])
            led[rows] = torch.stack([states[int(one)][row] for row, one in enumerate(place[rows])])
            self.student.train()
        return led
