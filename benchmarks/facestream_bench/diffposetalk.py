"""What sampling DiffPoseTalk costs at the paper's size, and what its exact savings save, side by side on this machine.

    python -m facestream_bench.diffposetalk

Writes `benchmarks/results/diffposetalk_paper.json`. The plain network stands in for the released one: three branches in
one batch, everything computed at every step. Both forms are timed in turns with the same random weights (times do not
depend on them), one evaluation of a window of 4 s; then a whole window each: 500 plain ancestral steps, and 25 steps of
DDIM with everything that is kept. `--plain-steps` runs fewer of the 500 and scales.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.base import Plan
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.schedule import DIFFUSION_STEPS, cosine_schedule
from facestream_bench.results import write_results
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.window import Person, Recipe, Speech, StreamNoise, WindowSampler

FAST_STEPS = 25

Given = TypeVar("Given")


class Subject:
    """One window of a model with random weights, in the plain form and in the fast one; guidance as the authors set."""

    def __init__(self) -> None:
        shape = DenoiserShape()
        torch.manual_seed(0)
        self.sampler = WindowSampler(DiffPoseTalk(shape, nn.Identity()).eval())
        self.model = self.sampler.model
        self.speech = Speech(torch.randn(1, shape.window, shape.width), torch.ones(1, shape.window))
        self.person = Person(torch.randn(1, shape.identity_count), torch.randn(1, shape.style_count))
        self.past = Past(torch.randn(1, shape.past, shape.motion_count), torch.randn(1, shape.past, shape.width))
        self.noisy = torch.randn(1, shape.window, shape.motion_count)
        self.noises = [StreamNoise(CounterNoise(0), 0)]

    def plain(self, branches: int) -> Callable[[int], Tensor]:
        """Evaluates all branches at a step: speech and style, then speech alone, then neither."""
        styled, bare = (self.model.person(self.person.identity, style) for style in (self.person.style, None))
        spoken, silent = (self.model.audio(features, 1) for features in (self.speech.features, None))
        person = torch.cat([styled, bare, bare][:branches])
        audio = torch.cat([spoken, spoken, silent][:branches])
        past = Past(*(part.repeat(branches, 1, 1) for part in self.past))
        noisy, indicator = self.noisy.repeat(branches, 1, 1), self.speech.indicator.repeat(branches, 1)

        def evaluate(step: int) -> Tensor:
            steps = torch.full((branches,), step)
            clean: Tensor = self.model.denoiser.masked(noisy, steps, person, past, audio, indicator)
            return clean[:, self.model.shape.past :]

        return evaluate

    def fast(self, branches: int) -> Callable[[int], Tensor]:
        """The same with everything kept that can be."""
        fast = self.sampler.fast
        styled, bare = (self.model.person(self.person.identity, style) for style in (self.person.style, None))
        audio = torch.cat([self.model.audio(features, 1) for features in (self.speech.features, None)])
        heard = fast.hear(self.past.audio.repeat(2, 1, 1), audio).rows(torch.tensor([0, 0, 1][:branches]))
        window = fast.open(torch.cat([styled, bare, bare][:branches]), self.past.motion, self.speech.indicator, heard)

        def evaluate(step: int) -> Tensor:
            clean: Tensor = fast(self.noisy, torch.full((1,), step), window)
            return clean

        return evaluate

    def sample(self, plan: Plan) -> None:
        """One window from noise to motion, from opening it on."""
        self.sampler(self.speech, self.person, self.past, Recipe(plan, Guidance()), self.noises)


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=25, help="evaluations of each form, by turns")
    parser.add_argument("--plain-steps", type=int, default=DIFFUSION_STEPS, help="of the plain window; scaled to 500")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    subject = Subject()
    with torch.no_grad():
        figures = {"threads": float(arguments.threads)}
        for branches in (3, 1):
            figures |= _evaluations(subject, branches, arguments.runs)
        figures |= _windows(subject, arguments.plain_steps)
    figures = {f"diffposetalk.{key}": value for key, value in figures.items()}
    command = "python -m facestream_bench.diffposetalk"
    notes = ["random weights at the paper's size, with head rotation; times without the audio encoder"]
    path = write_results("diffposetalk_paper", command, figures, path=arguments.output, notes=notes)
    print("\n".join(f"{key:48} {value:.4g}" for key, value in figures.items()), f"written to {path}", sep="\n")


def _evaluations(subject: Subject, branches: int, runs: int) -> dict[str, float]:
    plain, fast = subject.plain(branches), subject.fast(branches)
    difference = float((plain(DIFFUSION_STEPS // 2) - fast(DIFFUSION_STEPS // 2)).abs().max())
    pairs = [(_seconds(plain, step), _seconds(fast, step)) for step in range(1, runs + 1)]
    name = f"evaluation.branches_{branches}"
    return {
        f"{name}.plain_ms": 1000 * statistics.median(slow for slow, _ in pairs),
        f"{name}.fast_ms": 1000 * statistics.median(quick for _, quick in pairs),
        f"{name}.fast_over_plain": statistics.median(quick / slow for slow, quick in pairs),
        f"{name}.largest_difference": difference,
    }


def _windows(subject: Subject, plain_steps: int) -> dict[str, float]:
    plan = plan_named("ddim", cosine_schedule(), FAST_STEPS)
    quick = statistics.median(_seconds(subject.sample, plan) for _ in range(3))
    evaluate = subject.plain(3)
    slow = sum(_seconds(evaluate, step) for step in range(1, plain_steps + 1)) * DIFFUSION_STEPS / plain_steps
    return {
        "window.plain_500_steps_s": slow,
        f"window.fast_{FAST_STEPS}_steps_s": quick,
        "window.times_faster": slow / quick,
        "window.plain_steps_run": float(plain_steps),
    }


def _seconds(work: Callable[[Given], object], given: Given) -> float:
    started = time.perf_counter()
    work(given)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
