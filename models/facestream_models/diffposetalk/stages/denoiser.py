"""Stage `denoiser`: motion out of noise, two windows in a row (specification, section 7.1).

    8 s of a recording -> window A | window B
    A begins like a stream, with the learned start; B goes on from the true end of A
    each may end early: nothing after its end is true, and the indicator says so
    each has the style of the other, so that a style can not tell what is said

Speech is what the frozen trunk of `live` hears, made once; beyond the end of a window it is silence.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.schedule import DIFFUSION_STEPS, cosine_schedule
from facestream_models.diffposetalk.compact import COMPACT, ContentMap
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.heard_speech import louder
from facestream_models.diffposetalk.losses import LossWeights, MotionPoints, head_transition, motion_terms
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.stages.style import StyleNetwork, head_factors, with_heads
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES
from facestream_models.diffposetalk.window import Person, Recipe, Speech, StreamNoise, WindowSampler, speech_up_to
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class DenoiserConfig:
    """`rows` pairs of windows a batch. Chances: that A and B end early, that style alone or both conditions are taken.

    Steps are drawn as T u^`step_power`, u uniform: below 1 noisy ones come more often, at which style, head and slow
    motion are decided. `content_dropout` of what is heard is left out, so that motion does not hang on how single
    voices sound; how loud they are is up to `level_range` bels off. Heads are made up to `head_range` times as lively
    or as calm as they were recorded, as for styles. Losses are taken on one in `every_point` points of the face.
    Figures are those of `validation_rows` windows made with `validation_steps` evaluations and no guidance.
    """

    rows: int = 16
    ends_first: float = 0.3
    ends_second: float = 0.4
    style_taken: float = 0.35
    both_taken: float = 0.1
    step_power: float = 0.5
    content_dropout: float = 0.1
    level_range: float = 0.0
    head_range: float = 1.0
    every_point: int = 8
    validation_rows: int = 32
    validation_steps: int = 8
    run: RunConfig = field(default_factory=RunConfig)
    weights: LossWeights = field(default_factory=LossWeights)
    shape: DenoiserShape = field(default_factory=lambda: COMPACT)


class Half(NamedTuple):
    """One window of each row: clean `motion` [B, L, D], `features` [B, L, W], `past`, and `counts` [B, L]."""

    motion: Tensor
    features: Tensor
    past: Past
    counts: Tensor


class DenoiserStage:
    """Speech, style and past in, motion out. `styles` are those of the trained stage `style`; they stay as they are."""

    def __init__(
        self, config: DenoiserConfig, training: Recordings, held_out: Recordings, styles: StyleNetwork, mesh: FaceMesh
    ) -> None:
        shape = config.shape
        self.config, self.training, self.held_out, self.shape = config, training, held_out, shape
        self.styles = styles.eval().requires_grad_(False)
        self.mesh = mesh
        self.points = MotionPoints(styles.space, some_points(mesh, slice(None, None, config.every_point)))
        self.speech = ContentMap(shape.width, len(training.silence))
        self.model = DiffPoseTalk(shape, self.speech)
        kept = torch.from_numpy(cosine_schedule(DIFFUSION_STEPS).kept)
        self._signal, self._noise = kept.sqrt().float(), (1.0 - kept).sqrt().float()

    @property
    def network(self) -> nn.Module:
        return self.model

    @property
    def facts(self) -> Mapping[str, Any]:
        return {
            "shape": asdict(self.config.shape),
            "content": len(self.training.silence),
            "training_seconds": round(self.training.seconds),
            "speakers": len(self.training.speakers),
        }

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        config = self.config
        halves, styles = self.drawn(self.training, random)
        guess, is_styled, step = self._made(halves, styles, random)
        made = guess.chunk(2)
        terms: dict[str, Tensor] = {}
        if config.weights.style:
            whole = is_styled & torch.cat([half.counts[:, -1] > 0.0 for half in halves])
            found = self.styles.encoder(guess[whole, self.shape.past :])
            terms["style"] = config.weights.style * unlike(found, styles[whole])
            if self.styles.traits is not None:
                terms["traits"] = config.weights.traits * self._other_traits(found, styles[whole], step[whole])
        for half, found, past_counts in zip(halves, made, (0, self.shape.past), strict=True):
            # what the network says of a past that is true is learned too; a learned start has no truth
            found = found[:, self.shape.past - past_counts :]
            true = torch.cat([half.past.motion[:, self.shape.past - past_counts :], half.motion], dim=1)
            counts = torch.cat([half.counts.new_ones(config.rows, past_counts), half.counts], dim=1)
            for name, term in motion_terms(found, true, counts, self.shape, self.points, config.weights).items():
                terms[name] = terms.get(name, 0.0) + 0.5 * term
        if self.shape.head_rotation:
            second = halves[1]
            seam_term = head_transition(second.past.motion, made[1][:, self.shape.past :], second.counts, self.shape)
            terms["head_transition"] = config.weights.head_transition * seam_term
        return terms

    def drawn(self, recordings: Recordings, random: np.random.Generator) -> tuple[tuple[Half, Half], Tensor]:
        """Two windows in a row of B `recordings`, and the styles [2 B, S] of the first ones, then the second."""
        config, model, window = self.config, self.model, self.shape.window
        drawn = recordings.draw(config.rows, 2 * window, random)
        acted = with_heads(drawn.motion, head_factors(config.rows, config.head_range, random), self.shape)
        motion = self.styles.space(acted)
        heard = F.dropout(drawn.content, config.content_dropout)
        if config.level_range:
            off = torch.from_numpy(random.uniform(-config.level_range, config.level_range, size=config.rows)).float()
            heard = louder(heard, off)
        features, silence = self.speech(heard), self.speech.lasting(recordings.silence)
        seam = slice(window - self.shape.past, window)
        halves = (
            self._half(motion[:, :window], features[:, :window], model.start(config.rows),
                       config.ends_first, silence, random),
            self._half(motion[:, window:], features[:, window:], Past(motion[:, seam], features[:, seam].detach()),
                       config.ends_second, silence, random),
        )  # fmt: skip
        return halves, torch.cat([self._style(acted[:, window:]), self._style(acted[:, :window])])

    def noised(self, clean: Tensor, step: Tensor) -> Tensor:
        """`clean` motion [B, L, D] at `step` [B]."""
        return self._signal[step][:, None, None] * clean + self._noise[step][:, None, None] * torch.randn_like(clean)

    @torch.no_grad()
    def figures(self, network: nn.Module) -> dict[str, float]:
        """Of windows sampled for held-out speech behind the true past, in the style of what comes after.

        Errors in mm against the truth, and the same where speech or style are those of another row: a network that
        hears and obeys is worse there. Speeds of lips and head as shares of the true ones.
        """
        assert isinstance(network, DiffPoseTalk)
        shape, config = self.shape, self.config
        windows = self.held_out.spread(config.validation_rows, shape.past + shape.window + STYLE_FRAMES)
        cut = slice(shape.past, shape.past + shape.window)
        motion, features = self.styles.space(windows.motion), network.speech(windows.content)
        past = Past(motion[:, : shape.past], features[:, : shape.past])
        style = self._style(windows.motion[:, -STYLE_FRAMES:])
        true = motion[:, cut]
        sampler = WindowSampler(network)
        recipe = Recipe(plan_named("dpm-solver++", cosine_schedule(), config.validation_steps), Guidance(1.0, 1.0))
        noises = [StreamNoise(CounterNoise(row), 0) for row in range(len(true))]

        def made(heard: Tensor, worn: Tensor) -> Tensor:
            person = Person(heard.new_zeros(len(heard), shape.identity_count), worn)
            return sampler(Speech(heard, heard.new_ones(heard.shape[:2])), person, past, recipe, noises)

        own = made(features[:, cut], style)
        found = self._errors(own, true) | {
            "lips_mm_other_speech": self._errors(made(features[:, cut].roll(1, 0), style), true)["lips_mm"],
            "face_mm_other_style": self._errors(made(features[:, cut], style.roll(1, 0)), true)["face_mm"],
        }
        head = shape.head_components
        if shape.head_rotation:
            found["head_speed_share"] = _speed(own[..., head]) / max(_speed(true[..., head]), 1e-6)
            seam = torch.cat([past.motion[:, -1:], own[:, :1]], dim=1)[..., head]
            found["head_seam_share"] = _speed(seam) / max(_speed(own[..., head]), 1e-6)
        return found

    def _half(
        self, motion: Tensor, features: Tensor, past: Past, chance: float, silence: Tensor, random: np.random.Generator
    ) -> Half:
        rows, window = motion.shape[:2]
        early = random.integers(1, window, size=rows)
        ends = torch.from_numpy(np.where(random.random(rows) < chance, early, window))
        speech = speech_up_to(ends, features, silence)
        return Half(motion * speech.indicator[:, :, None], speech.features, past, speech.indicator)

    def _style(self, motion: Tensor) -> Tensor:
        with torch.no_grad():
            style: Tensor = self.styles(motion[:, :STYLE_FRAMES])
        return style

    def _other_traits(self, found: Tensor, styles: Tensor, step: Tensor) -> Tensor:
        """How far apart the traits are that styles [N, S] of the guess and those asked for tell, squared; 0 of none.

        Out of much noise the best guess is calmer than any motion: a row counts as far as motion shows at its `step`.
        """
        assert self.styles.traits is not None
        apart = (self.styles.traits(found) - self.styles.traits(styles)).square().mean(dim=1)
        counted: Tensor = (self._signal[step].square() * apart).sum()
        return counted / max(len(step), 1)

    def _made(
        self, halves: tuple[Half, Half], styles: Tensor, random: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The network's guess [2 B, P + L, D], which rows have their style, and the step [2 B] that each is at; some
        have conditions taken away.
        """
        clean, features, past, counts = both_halves(halves)
        rows = len(clean)
        step = torch.from_numpy(np.ceil(DIFFUSION_STEPS * (1.0 - random.random(rows)) ** self.config.step_power)).long()
        noisy = self.noised(clean, step)
        chance = torch.from_numpy(random.random(rows))
        both = self.config.both_taken
        is_styled = chance >= both + self.config.style_taken
        is_spoken = (chance >= both)[:, None, None]
        worn = torch.where(is_styled[:, None], styles, self.model.null_style[:, 0])
        heard = torch.where(is_spoken, features, self.model.null_audio)
        person = self.model.person(clean.new_zeros(rows, self.shape.identity_count), worn)
        made: Tensor = self.model.denoiser(noisy, step, person, past, heard, counts)
        return made, is_styled, step

    def _errors(self, made: Tensor, true: Tensor) -> dict[str, float]:
        points = MotionPoints(self.styles.space, self.mesh)
        distance = point_errors_mm(points(made), points(true))
        return {"face_mm": float(distance.mean()), "lips_mm": float(distance[..., self.mesh.is_lip].mean())}


def both_halves(halves: tuple[Half, Half]) -> Half:
    """All first windows, then all second ones."""
    first, second = halves
    past = Past(*(torch.cat(parts) for parts in zip(first.past, second.past, strict=True)))
    motion, features, counts = (
        torch.cat([getattr(half, name) for half in halves]) for name in ("motion", "features", "counts")
    )
    return Half(motion, features, past, counts)


def unlike(found: Tensor, styles: Tensor) -> Tensor:
    """How far styles `found` in guesses [N, S] are from the `styles` asked for: 0 to 2; 0 of none.

    What tells speakers apart is small beside all that a face does (a style says a seventh of where a face is on average
    for four seconds), so that errors of the motion alone hardly teach it.
    """
    return (1.0 - F.cosine_similarity(found, styles)).sum() / max(len(styles), 1)


def _speed(angles: Tensor) -> float:
    """Mean size of the change from frame to frame of `angles` [B, F, 3]."""
    return float(torch.linalg.vector_norm(angles.diff(dim=1), dim=2).mean())
