"""Stage `student`: many guided evaluations of the trained denoiser, learned as one to four of its student's.

    lessons of the teacher ─> rows at random ─> a stride of one of the grids ─> guess that ends where the teacher ends
       whole windows, and        from the teacher's state, or from where the student's strides led
       hops cut out of them

The teacher makes new lessons as training goes on, and each is used several times. Regression to the end of a way from
the same noise keeps most of what a mean over noises would lose, how far heads move. What a student still can not follow
it leaves out, so heads are asked for their `liveliness`, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.losses import LossWeights, MotionPoints, motion_terms
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.lessons import (
    HopConfig,
    LessonConfig,
    Lessons,
    LessonStore,
    Teacher,
    live_cut,
    picked,
)
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.stages.student_exam import ExamConfig, StudentExam
from facestream_models.diffposetalk.stages.style import StyleNetwork
from facestream_models.diffposetalk.student import MOST_STEPS, Grids, Student, StudentSampler
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig


def _to_the_teacher() -> LossWeights:
    """The paper's without those that ask for smoothness, a student is to be as smooth as its teacher.

    More weight on the head: a student's error of the head is small beside that of the face from the start, and would
    hardly be learned.
    """
    return LossWeights(smooth=0.0, head=2.0, head_velocity=20.0, head_smooth=0.0, head_transition=0.0, liveliness=20.0)


@dataclass(frozen=True)
class StudentConfig:
    """`rows` whole windows and as many hops a batch, out of the last `groups` of lessons; a new group comes every
    `renew_every` steps.

    `grids` are the shares of rows that go in 1 to 4 strides, `own_way` is the share that begins where the student's own
    strides led. Hops count `live_weight` times. Losses are taken on one in `every_point` points of the face.
    `begin_with` names a folder beside the output: a student to go on from.
    """

    begin_with: str = ""
    rows: int = 16
    groups: int = 24
    renew_every: int = 8
    grids: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    own_way: float = 0.5
    live_weight: float = 1.0
    every_point: int = 8
    lessons: LessonConfig = field(default_factory=LessonConfig)
    live: HopConfig = field(default_factory=HopConfig)
    exam: ExamConfig = field(default_factory=ExamConfig)
    run: RunConfig = field(default_factory=RunConfig)
    weights: LossWeights = field(default_factory=_to_the_teacher)


class StudentStage:
    """`model` is the trained teacher as it is served, `told` the facts of its run; neither it nor `styles` changes."""

    def __init__(
        self,
        config: StudentConfig,
        model: DiffPoseTalk,
        told: Mapping[str, Any],
        training: Recordings,
        held_out: Recordings,
        styles: StyleNetwork,
        mesh: FaceMesh,
        named: Tensor | None = None,
    ) -> None:
        self.config, self.shape, self._told = config, model.shape, told
        model, styles = model.eval().requires_grad_(False), styles.eval().requires_grad_(False)
        self.student = Student(model.denoiser)
        self.points = MotionPoints(styles.space, some_points(mesh, slice(None, None, config.every_point)))
        self.grids = Grids()
        seed = config.run.seed
        teacher = Teacher(config.lessons, model, styles, training, seed, named)
        self._store, self._silence = LessonStore(teacher, config.groups), teacher.silence
        examiner = Teacher(replace(config.lessons, named=0.0), model, styles, held_out, seed)
        self._exam = StudentExam(config.exam, config.live, examiner, mesh)
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
        config = self.config
        groups = self._store.up_to(round(progress * config.run.steps) // config.renew_every)
        sampler = StudentSampler(self.student)
        whole = self._errors(self._drawn(groups, random), sampler, random)
        hops = live_cut(self._drawn(groups, random), config.live, self._silence, random)
        live = self._errors(hops, sampler, random)
        return whole | {f"live_{name}": config.live_weight * term for name, term in live.items()}

    def _drawn(self, groups: Sequence[Lessons], random: np.random.Generator) -> Lessons:
        rows = self.config.rows
        numbers = random.integers(len(groups), size=rows)
        places = random.integers(self.config.lessons.rows, size=rows)
        return picked([groups[number] for number in numbers], places.tolist())

    def _errors(self, lessons: Lessons, sampler: StudentSampler, random: np.random.Generator) -> dict[str, Tensor]:
        """Of a stride of each row."""
        config, window, rows = self.config, lessons.window, len(lessons.states)
        grid = torch.from_numpy(random.choice(np.arange(1, MOST_STEPS + 1), size=rows, p=config.grids))
        place = torch.from_numpy(random.integers(0, grid.numpy()))
        here, there = self.grids.ends(grid, place)
        own = torch.from_numpy(random.random(rows) < config.own_way) & (place > 0)
        led = self._led(lessons, sampler, grid, place, own)
        noisy = torch.where(own[:, None, None], led, self._state(lessons, here))
        true = window.settled(self.grids.guess_for(grid, place, noisy, self._state(lessons, there)))
        made = sampler.guess(window, sampler.open(window), noisy, grid, place)
        counts = window.indicator * (1.0 - window.known.counts)
        return motion_terms(made, true, counts, self.shape, self.points, config.weights)

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

    def _led(self, lessons: Lessons, sampler: StudentSampler, grid: Tensor, place: Tensor, chosen: Tensor) -> Tensor:
        """Where the student's own strides from noise lead the `chosen` [B] rows, up to their `place`; others: zeros."""
        led, rows = torch.zeros_like(lessons.states[:, 0]), chosen.nonzero()[:, 0].tolist()
        if rows:
            some = picked([lessons] * len(rows), rows)
            states = sampler.states(some.window, some.states[:, 0], grid[rows])
            led[rows] = torch.stack([states[int(one)][row] for row, one in enumerate(place[rows])])
        return led
