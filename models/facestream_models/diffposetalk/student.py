"""The few-step student: a denoiser whose one evaluation does what many of its teacher's do, guidance included.

    teacher:  a step, the window, G branches     -> where the motion is thought to lead, now
    student:  two steps, the window, the scales  -> the guess that leads from the first of them to the second

A *stride* from step t to step s is one DDIM update, and the student's guess is the one with which that update ends
where the teacher's many guided evaluations end, from the same noise (progressive distillation, Salimans, Ho 2022; with
scales as inputs, Meng et al. 2023). Any of its grids has few strides, the coarsest a single one from noise to motion.
Frames that were given out before are handed to it finished, instead of being put back into every guess: a single
evaluation could not mind them otherwise, noise hides them.

All of that enters by one vector for the person's token, one for the frames and a mark on known frames, which are zero
in the beginning: a student begins as its teacher without guidance. What is heard stays the teacher's, so that one
`memory` serves both.
"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.motion.diffposetalk.samplers.ddim import ddim
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import Denoiser, Past
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser, WindowCache
from facestream_models.diffposetalk.shape import FRAME_RATE
from facestream_models.diffposetalk.window import Known

MOST_STEPS = 4
"""Evaluations in its finest grid."""
_QUICKEST_HZ, _REACH = 6.0, 5
"""Up to where a head moves, as far as five frames on each side can tell. All that a student learns of heads is slower:
its teacher leaves out what is quicker by the cosines of a whole window, which a live one is too short for. Without it a
student trembled on: it had three times the true energy above 7.5 Hz, in live streams nearly six times (2026-11-22)."""


class Stride(NamedTuple):
    """What an evaluation is for: steps `here` and `there` int64 [B], there < here, and `scales` [B, 2] of speech and
    style. Frames that `known` [B, L] marks with 1 are finished in what the student is given.
    """

    here: Tensor
    there: Tensor
    scales: Tensor
    known: Tensor


def low_pass() -> Tensor:
    """Shares [2 R + 1] of the frames around in a frame of a head: a sinc that is cut off, under a Hamming window."""
    away = torch.arange(-_REACH, _REACH + 1, dtype=torch.float64)
    window = torch.hamming_window(2 * _REACH + 1, periodic=False, dtype=torch.float64)
    shares: Tensor = torch.sinc(2.0 * _QUICKEST_HZ / FRAME_RATE * away) * window
    return (shares / shares.sum()).float()


class Student(nn.Module):
    """Made from the denoiser of its teacher, of which it takes a copy, but for the head's own gains: it has no steps at
    which so little noise is left.
    """

    smoothing: Tensor

    def __init__(self, teacher: Denoiser) -> None:
        super().__init__()
        self.denoiser = copy.deepcopy(teacher).requires_grad_(True)
        self.denoiser.head_trust = None
        self.shape = teacher.shape
        width = teacher.shape.width
        self.aim = nn.Sequential(nn.Linear(width + 2, width), nn.GELU(), nn.Linear(width, 2 * width))
        self.known = nn.Parameter(torch.zeros(width))
        axes = 3 * self.shape.head_rotation
        self.register_buffer("smoothing", low_pass().repeat(axes, 1, 1), persistent=False)
        last = self.aim[2]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        for layer in self.denoiser.layers:
            layer.cross_attention.requires_grad_(False)

    def forward(
        self, noisy: Tensor, stride: Stride, person: Tensor, past: Past, audio: Tensor, indicator: Tensor
    ) -> Tensor:
        """The guess [B, L, D]; inputs as those of `Denoiser`."""
        x = self.denoiser.tokens(noisy, stride.here, person, past, indicator)
        token, frames = self.aims(stride)
        past_frames = frames.new_zeros(len(frames), past.motion.shape[1], frames.shape[2])
        x = x + torch.cat([token, past_frames, frames], dim=1)
        found = self.denoiser.through_layers(x, past, audio)
        guess = self.denoiser.weighed(found, audio, noisy, stride.here)[:, past.motion.shape[1] :]
        return self.smooth(guess, noisy, stride.known)

    def smooth(self, guess: Tensor, noisy: Tensor, known: Tensor) -> Tensor:
        """`guess` [B, L, D] with a head that does not tremble, and goes on from what is `known` [B, L] in `noisy`."""
        if not self.shape.head_rotation:
            return guess
        head = self.shape.head_components
        turned = torch.where(known[:, :, None] > 0.0, noisy[:, :, head], guess[:, :, head]).transpose(1, 2)
        padded = F.pad(turned, (_REACH, _REACH), mode="replicate")
        slower = F.conv1d(padded, self.smoothing, groups=len(self.smoothing)).transpose(1, 2)
        return torch.cat([guess[:, :, : head.start], slower, guess[:, :, head.stop :]], dim=2)

    def aims(self, stride: Stride) -> tuple[Tensor, Tensor]:
        """What a stride adds to the person's token [B, 1, W] and to the frames of the window [B, L, W]."""
        told = torch.cat([self.denoiser.codes(stride.there), stride.scales - 1.0], dim=1)
        token, frames = self.aim(told)[:, None].chunk(2, dim=2)
        return token, frames + stride.known[:, :, None] * self.known


class FastStudent(nn.Module):
    """The same as sampling needs it, see `FastDenoiser`; a window has one branch."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student.eval()
        self.fast = FastDenoiser(student.denoiser)
        self.shape = student.shape

    def forward(self, noisy: Tensor, stride: Stride, window: WindowCache) -> Tensor:
        """The guess [B, L, D] for `noisy` [B, L, D]."""
        token, frames = self.student.aims(stride)
        aimed = window._replace(person=window.person + token, frame=window.frame + frames, projected=None)
        guess = self.fast.embedded(noisy, stride.here, self.student.denoiser.embedded(stride.here), aimed)
        return self.student.smooth(guess, noisy, stride.known)


class StudentWindow(NamedTuple):
    """A window as a student is given it: `person` [B, I + S], `past`, `audio` [B, L, W], `indicator` [B, L], `scales`
    [B, 2], `known` frames.
    """

    person: Tensor
    past: Past
    audio: Tensor
    indicator: Tensor
    scales: Tensor
    known: Known

    def settled(self, guess: Tensor) -> Tensor:
        """`guess` [B, L, D] with what is known in its place, and nothing behind the end."""
        return self.known.put_into(guess * self.indicator[:, :, None])


class Grids:
    """The strides of all grids, as tables [grid, place]: a grid of n takes n strides from noise to motion."""

    def __init__(self) -> None:
        size = (MOST_STEPS + 1, MOST_STEPS)
        self._here, self._there = torch.zeros(size, dtype=torch.int64), torch.zeros(size, dtype=torch.int64)
        self._noisy, self._clean = torch.zeros(size), torch.zeros(size)
        for grid in range(1, MOST_STEPS + 1):
            plan = ddim(cosine_schedule(), grid)
            for place, update in enumerate(plan):
                self._here[grid, place] = update.step
                self._there[grid, place] = plan[place + 1].step if place + 1 < grid else 0
                self._noisy[grid, place], self._clean[grid, place] = update.noisy, update.clean

        self.steps = sorted({int(one) for table in (self._here, self._there) for one in table.flatten()}, reverse=True)
        """Every step at which a stride begins or ends, noisiest first."""

    def ends(self, grid: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Steps [B] from which and to which strides lead."""
        return self._here[grid, place], self._there[grid, place]

    def taken(self, grid: Tensor, place: Tensor, x: Tensor, guess: Tensor) -> Tensor:
        """Where strides from `x` [B, L, D] end with that guess."""
        noisy, clean = self._noisy[grid, place], self._clean[grid, place]
        return noisy[:, None, None] * x + clean[:, None, None] * guess

    def guess_for(self, grid: Tensor, place: Tensor, x: Tensor, goal: Tensor) -> Tensor:
        """The guess with which strides from `x` [B, L, D] end at `goal`."""
        noisy, clean = self._noisy[grid, place], self._clean[grid, place]
        return (goal - noisy[:, None, None] * x) / clean[:, None, None]


class StudentSampler:
    """Takes strides; make a new one after the weights have changed. What it guesses can be learned from."""

    def __init__(self, student: Student) -> None:
        self.fast = FastStudent(student)
        self.grids = Grids()

    def __call__(self, window: StudentWindow, noise: Tensor, steps: int) -> Tensor:
        """Normalised motion [B, L, D] from `noise` in 1 to `MOST_STEPS` evaluations."""
        grid = torch.full((len(noise),), steps)
        return self.states(window, noise, grid)[-1]

    @torch.no_grad()
    def states(self, window: StudentWindow, noise: Tensor, grid: Tensor) -> list[Tensor]:
        """Where the strides of rows lead, each along its own `grid` [B]: noise first, up to the end of the finest."""
        cache, states = self.open(window), [noise]
        for number in range(int(grid.max())):
            place = torch.full_like(grid, number)
            guess = self.guess(window, cache, states[-1], grid, place)
            led = self.grids.taken(grid, place, states[-1], guess)
            states.append(torch.where((number < grid)[:, None, None], led, states[-1]))
        return states

    def open(self, window: StudentWindow) -> WindowCache:
        """What all strides of a window share."""
        fast = self.fast.fast
        return fast.open(
            window.person, window.past.motion, window.indicator, fast.hear(window.past.audio, window.audio),
            is_kept=False,
        )  # fmt: skip

    def guess(self, window: StudentWindow, cache: WindowCache, x: Tensor, grid: Tensor, place: Tensor) -> Tensor:
        """The guess [B, L, D] of the strides at `place` [B] of their `grid` [B], from `x` [B, L, D]."""
        here, there = self.grids.ends(grid, place)
        stride = Stride(here, there, window.scales, window.known.counts)
        return window.settled(self.fast(window.known.put_into(x), stride, cache))
