"""How far few steps of a sampler lead from where 500 lead, and so how many a diffusion model needs.

    python -m facestream_bench.diffposetalk_drift BUNDLE [CLIP ...]

Writes `benchmarks/results/diffposetalk_drift.json`. Windows of the clips, each in every named style (or in none), are
made with the same starting noise in 500 steps and in fewer, by the samplers that add no fresh noise: where they lead is
a function of the noise, so all difference is error. Lips are measured in mm on the landmarks of the head that the
client shows, after retargeting; the head in degrees. Shares are of the motion's own standard deviation over time. The
control is another seed at 500 steps: how far apart two motions are that are equally good. `fewest_steps` is the least
count from which on both shares stay under 3 %.

Where a bundle has a distilled network its steps are measured against such a reference with its audio scale, beside as
few of the model's own sampler: in whole windows, and in live hops that go on from the reference's frames, in windows as
the runtime fills them for either network. What a hop is held to is how the reference itself goes on, which heard what
follows. `head_speed_share` tells whether heads move as far as the reference's; a mean over many motions would not.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facestream.audio.files import read_audio
from facestream.audio.resample import Resampler
from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.engines.diffposetalk_style import styles_of
from facestream.errors import InvalidValue
from facestream.motion.bundle_profile import profile_of
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.hearing import normalised
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.sampling import Recipe, Window, sample
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream.motion.diffposetalk.source import STRIDES_OF
from facestream.motion.diffposetalk.space import MotionSpace, MotionStatistics
from facestream.retarget.solver import Retargeter
from facestream.styling import DISTILLED
from facestream.types import EXPRESSION_COUNT, Float32
from facestream_bench.results import write_results

REFERENCE_STEPS = 500
STEPS = (4, 6, 8, 10, 12, 16, 25, 50)
SAMPLERS = ("ddim", "dpm-solver++")
LARGEST_SHARE = 0.03
DISTILLED_REFERENCE_STEPS = 100
"""Of the distilled network, whose errors are ten times what 100 steps leave."""
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "amiable.flac"


class LiveWindow(NamedTuple):
    """Of a whole window `known` frames from `first` on, which are behind a past, and `frames` in all."""

    first: int
    known: int
    frames: int


class Shown(NamedTuple):
    """What a client sees: `lips` [N, L, P, 3] in mm, and `head` [N, L, 3] as axis-angle in degrees."""

    lips: Float32
    head: Float32

    def apart(self, other: "Shown") -> dict[str, float]:
        """Root mean square of the differences."""
        lips = np.linalg.norm(self.lips - other.lips, axis=-1)
        head = np.linalg.norm(self.head - other.head, axis=-1)
        return {"lips_mm": float(np.sqrt(np.mean(lips**2))), "head_deg": float(np.sqrt(np.mean(head**2)))}

    def spread(self) -> dict[str, float]:
        """Standard deviations over time, of all windows together: what `apart` is a share of."""
        still = Shown(*(np.broadcast_to(part.mean(axis=1, keepdims=True), part.shape) for part in self))
        return self.apart(still)

    def head_speed(self) -> float:
        """Mean change of the head from frame to frame, in degrees."""
        return float(np.linalg.norm(np.diff(self.head, axis=1), axis=-1).mean())

    def between(self, begin: int, end: int) -> "Shown":
        """Frames `begin` to `end`."""
        return Shown(*(part[:, begin:end] for part in self))


@dataclass(frozen=True)
class Drift:
    """Windows `heard` of one bundle, made again and again."""

    graphs: DiffPoseTalkGraphs
    retargeter: Retargeter
    lip_effect: Float32
    heard: Sequence[Float32]
    styles: Sequence[Float32 | None]

    @classmethod
    def of(cls, bundle: Bundle, clips: Sequence[Float32]) -> "Drift":
        """Whole windows of `clips` [T] at 16 kHz. Raises `InvalidValue` where there is none."""
        graphs, profile = DiffPoseTalkGraphs(bundle), profile_of(bundle)
        manifest = graphs.manifest
        samples = manifest.window.frames * manifest.frame_samples
        heard = []
        for clip in clips:
            whole = clip[: len(clip) // samples * samples]
            if len(whole):
                sound = normalised(whole, 0) if manifest.normalised_audio else whole
                heard += np.split(graphs.hear(sound[None]).features[0], len(whole) // samples)
        if not heard:
            raise InvalidValue("clip", f"{max(map(len, clips), default=0) / 16_000:.2f} s", f"{samples / 16_000:g} s")
        lips = [place for place, name in enumerate(profile.landmark_names) if name.startswith(("lip_", "mouth_"))]
        _, named = styles_of(bundle)
        styles: list[Float32 | None] = [style.vector for style in named.values()]
        retargeter = Retargeter(profile, tuple(manifest.outputs.extras))
        return cls(graphs, retargeter, profile.landmark_dirs[lips] * np.float32(1000.0), heard, styles or [None])

    def make(self, sampler: str, steps: int, seed: int) -> tuple[Shown, float]:
        """All windows in all styles, and seconds a window."""
        motion, seconds = self.move(sampler, steps, seed)
        return self.shown(motion), seconds

    def move(
        self, sampler: str, steps: int, seed: int, given: Float32 | None = None, audio_scale: float | None = None
    ) -> tuple[Float32, float]:
        """The same as normalised motion `[N, L, D]`; an `audio_scale` of none is that of the model's own network.

        With motion `given` `[N, L, D]` they are windows of live streams (`live_window`), which begin with frames of it
        and end behind those that are made ahead of a hop.
        """
        manifest, learned = self.graphs.manifest, self.graphs.learned
        own, pieces, past = manifest.sampling, manifest.pieces, manifest.window.past
        is_distilled = sampler == DISTILLED
        recipe = Recipe(
            plan_named(STRIDES_OF if is_distilled else sampler, cosine_schedule(manifest.diffusion_steps), steps),
            Guidance(own.audio_scale if audio_scale is None else audio_scale, own.style_scale),
            is_distilled,
        )
        styles = len(self.styles)
        first, known, frames = LiveWindow(0, 0, manifest.window.frames) if given is None else self.live_window(sampler)
        end = frames if given is None else known + pieces.hop_frames + pieces.ahead_frames
        is_meant = np.arange(frames) < end
        begin = time.process_time()
        made = []
        for number, features in enumerate(self.heard):
            before = np.concatenate([learned.start_audio, features])[first : first + past]
            windows = []
            for place, style in enumerate(self.styles):
                goes_on = () if given is None else (given[number * styles + place],)
                moved = np.concatenate([learned.start_motion, *goes_on])
                windows.append(
                    Window(
                        past_motion=moved[first : first + past],
                        past_audio=before,
                        audio=np.where(is_meant[:, None], features[first : first + frames], self.graphs.silence),
                        indicator=is_meant.astype(np.float32),
                        known=moved[past + first :][:known],
                        style=style,
                        recipe=recipe,
                        noise=CounterNoise(seed),
                        first_frame=number * manifest.window.frames + first,
                    )
                )
            made.append(sample(self.graphs, windows))
        motion = np.concatenate(made)
        return motion, (time.process_time() - begin) / len(motion)

    def live_window(self, sampler: str) -> LiveWindow:
        """Where in a whole window the hop behind `pieces.known_frames` is made, as live streams do it."""
        manifest = self.graphs.manifest
        if sampler != DISTILLED or manifest.distilled is None:
            return LiveWindow(0, manifest.pieces.known_frames, manifest.window.frames)
        known = manifest.distilled.known_frames
        return LiveWindow(manifest.pieces.known_frames - known, known, manifest.distilled_frames)

    def shown(self, motion: Float32) -> Shown:
        manifest = self.graphs.manifest
        space = MotionSpace(
            MotionStatistics.from_file(self.graphs.folder / manifest.statistics), manifest.head_rotation
        )
        expression, pose = space.restored(motion)
        face = np.concatenate([expression, pose[..., 3:]], axis=-1).reshape(-1, EXPRESSION_COUNT + 3)
        rest = np.zeros((len(face), self.lip_effect.shape[-1]), np.float32)
        weights = self.retargeter.solve(face, self.retargeter.solve(face, rest))
        lips = np.einsum("lac,fc->fla", self.lip_effect, weights).reshape(*motion.shape[:2], -1, 3)
        return Shown(lips.astype(np.float32), np.degrees(pose[..., :3]).astype(np.float32))


def measure(drift: Drift, samplers: Sequence[str] = SAMPLERS, steps: Sequence[int] = STEPS) -> dict[str, float]:
    """Errors and their shares for each sampler and count, the control, and the fewest steps that will do."""
    figures = {"windows": float(len(drift.heard) * len(drift.styles))}
    for sampler in samplers:
        reference, _ = drift.make(sampler, REFERENCE_STEPS, seed=1)
        spread = reference.spread()
        figures |= {f"{sampler}.spread.{name}": value for name, value in spread.items()}
        other, _ = drift.make(sampler, REFERENCE_STEPS, seed=2)
        figures |= _shares(f"{sampler}.other_seed", other.apart(reference), spread)
        for count in steps:
            made, seconds = drift.make(sampler, count, seed=1)
            figures |= _shares(f"{sampler}.{count:03d}", made.apart(reference), spread)
            figures[f"{sampler}.{count:03d}.cpu_s_a_window"] = seconds
        figures[f"{sampler}.fewest_steps"] = float(_fewest(figures, sampler, steps))
    return figures


def measure_distilled(drift: Drift, reference_steps: int = REFERENCE_STEPS) -> dict[str, float]:
    """Errors of 1 to 4 steps of a bundle's distilled network, and of as few of the model's own; {} without one."""
    manifest = drift.graphs.manifest
    if manifest.distilled is None:
        return {}
    own, pieces = manifest.sampling.sampler, manifest.pieces
    audio_scale = manifest.distilled_audio_scale
    whole, _ = drift.move(own, reference_steps, seed=1, audio_scale=audio_scale)
    first, last = pieces.known_frames - 1, pieces.known_frames + pieces.hop_frames  # the step into the hop counts too
    references = {"": drift.shown(whole), "live.": drift.shown(whole).between(first, last)}
    spread = references[""].spread()

    def compared(sampler: str, steps: int, seed: int, place: str) -> dict[str, float]:
        made, seconds = drift.move(sampler, steps, seed, audio_scale=audio_scale)
        going_on, _ = drift.move(sampler, steps, seed, given=whole, audio_scale=audio_scale)
        found = {f"{place}.cpu_s_a_window": seconds}
        before = drift.live_window(sampler).first
        hop = drift.shown(going_on).between(first - before, last - before)
        for kind, shown in (("", drift.shown(made)), ("live.", hop)):
            reference = references[kind]
            found |= _shares(f"{place}.{kind}", shown.apart(reference), spread)
            if (speed := reference.head_speed()) > 0.0:
                found[f"{place}.{kind}head_speed_share"] = shown.head_speed() / speed
        return found

    figures = compared(own, reference_steps, 2, "few.other_seed")
    for steps in range(1, manifest.distilled.most_steps + 1):
        figures |= compared(DISTILLED, steps, 1, f"few.distilled.{steps}")
        figures |= compared(own, steps, 1, f"few.{own}.{steps}")
    return figures


def _shares(place: str, errors: Mapping[str, float], spread: Mapping[str, float]) -> dict[str, float]:
    place = place if place.endswith(".") else f"{place}."
    found = {f"{place}{name}": error for name, error in errors.items()}
    for name, error in errors.items():
        if spread[name] > 0.0:  # a head that does not move has nothing to be a share of
            found[f"{place}{name.split('_')[0]}_share"] = error / spread[name]
    return found


def _fewest(figures: Mapping[str, float], sampler: str, steps: Sequence[int]) -> int:
    """The least count from which on no share is too large; 500 where none is small enough."""
    fewest = REFERENCE_STEPS
    for count in sorted(steps, reverse=True):
        shares = [figures.get(f"{sampler}.{count:03d}.{part}_share", 0.0) for part in ("lips", "head")]
        if max(shares) >= LARGEST_SHARE:
            break
        fewest = count
    return fewest


def _speech(path: Path) -> Float32:
    samples, rate_hz = read_audio(path)
    resampler = Resampler(rate_hz)
    return np.concatenate((resampler.push(samples), resampler.flush()))


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", help="name or folder")
    parser.add_argument("clips", type=Path, nargs="*", default=[EXAMPLE], help="speech; four seconds or more each")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=SAMPLERS)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    bundle = open_bundle(arguments.bundle)
    drift = Drift.of(bundle, [_speech(path) for path in arguments.clips])
    figures = measure(drift, arguments.samplers) | measure_distilled(drift, DISTILLED_REFERENCE_STEPS)
    figures = {f"diffposetalk.drift.{name}": value for name, value in figures.items()}
    notes = [f"{bundle.manifest.name} {bundle.manifest.version}, {', '.join(path.name for path in arguments.clips)}"]
    command = "python -m facestream_bench.diffposetalk_drift"
    path = write_results("diffposetalk_drift", command, figures, path=arguments.output, notes=notes)
    print(
        "\n".join(f"{name:56} {value:.4g}" for name, value in sorted(figures.items())), f"written to {path}", sep="\n"
    )


if __name__ == "__main__":
    main()
