"""Motion of a diffposetalk bundle as the runtime makes it, before it is retargeted and polished.

What a client gets has been through both, and only the expression, jaw and head themselves can be asked for their style,
their speed, or how they go on across the windows that they were made in. Frames are at 25 Hz; frame j is at 40 j ms.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facestream.acting import Acting
from facestream.engines.bundle import open_bundle
from facestream.engines.diffposetalk_style import StyleGraph
from facestream.motion.base import Rows
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion
from facestream.motion.diffposetalk.space import MotionSpace, MotionStatistics
from facestream.motion.reference_take import ReferenceMotion
from facestream.motion.style_extract import extract_style
from facestream.serving.live_stream import REST_TAIL_MS
from facestream.serving.pipelines import open_pipeline
from facestream.style import Style, mean_style
from facestream.styling import Styling
from facestream.types import EXPRESSION_COUNT, JAW_COUNT, Float32

FACE = EXPRESSION_COUNT + JAW_COUNT
FRAME_RATE = 25
_NOBODY = Styling()
_REST_SAMPLES = REST_TAIL_MS * 16
"""A stream is moved so far behind the end of its audio; the last window is as long as in the runtime."""


@dataclass(frozen=True, eq=False)
class Made:
    """`face` [F, 53] (expression, jaw) and `head` [F, 3] (axis-angle in radians); `seams` [N] are the frames, but the
    first, at which a window of the network begins.
    """

    face: Float32
    head: Float32
    seams: NDArray[np.intp]


class Mover:
    """A bundle at work on whole clips or live, one row at a time; `steps` a window where a styling does not say."""

    def __init__(self, folder: Path | str, steps: int | None = None) -> None:
        self.steps = steps
        self.bundle = open_bundle(str(folder))
        source = open_pipeline(str(folder)).source
        assert isinstance(source, DiffPoseTalkMotion)
        self.source = source
        abilities = source.model.abilities
        assert abilities is not None
        assert abilities.styling is not None
        self.styling = abilities.styling
        self._encoder = StyleGraph(self.bundle)
        manifest = self._encoder.manifest
        self.frame_samples = manifest.frame_samples
        self._space = MotionSpace(
            MotionStatistics.from_file(self.bundle.folder / manifest.statistics), manifest.head_rotation
        )

    def clip(self, audio: Float32, styling: Styling = _NOBODY, seed: int = 0) -> Made:
        """Motion of `audio` [T] at 16 kHz in windows, as of a recording; F = T // 640, or one more for what is left."""
        whole, frames = self.source.whole_clips, self._frames(audio)
        streamer = whole.streamer
        with_rest = self._frames(np.pad(audio, (0, _REST_SAMPLES)))
        hops = -(-with_rest // streamer.motions_per_hop)
        pcm = _padded(audio, hops * streamer.hop_samples)
        state, runs, seams, done = self._fresh(styling, seed), [], [], 0
        while done < hops:
            part = streamer.next_part(done, None, hops)
            heard = pcm[None, part.reads_from * streamer.hop_samples : part.reads_to * streamer.hop_samples]
            output = whole.step(heard, state, part)
            runs.append(output.motion[0])
            seams.append(done * streamer.motions_per_hop)
            state = {**state, **output.next_state}
            done = part.end
        return _made(runs, seams, frames)

    def live(self, audio: Float32, styling: Styling = _NOBODY, seed: int = 0) -> Made:
        """The same hop by hop, as of a live stream."""
        streamer, frames = self.source.live_streamer, self._frames(audio)
        hops = -(-frames // streamer.motions_per_hop)
        before = -streamer.first_sample_for(0)
        pcm = np.concatenate([np.zeros(before, np.float32), _padded(audio, streamer.samples_for(hops))])
        reads = before + streamer.samples_for(1)
        state, runs = self._fresh(styling, seed), []
        for hop in range(hops):
            begin = hop * streamer.hop_samples
            output = self.source.step(pcm[None, begin : begin + reads], state)
            runs.append(output.motion[0])
            state = {**state, **output.next_state}
        return _made(runs, [hop * streamer.motions_per_hop for hop in range(hops)], frames)

    def style(self, made: Made) -> Float32:
        """The style [S] of motion of four seconds or more, of all its seconds."""
        return extract_style(self._encoder, ReferenceMotion(made.face[:, :EXPRESSION_COUNT], _pose(made))).vector

    def short_style(self, made: Made) -> Float32:
        """The style [S] of the first four seconds alone."""
        motion = self._space.normalised(made.face[:, :EXPRESSION_COUNT], _pose(made))[: self._encoder.frames]
        style: Float32 = self._encoder.style(motion[None])[0]
        return style

    def styled(self, vector: Float32, strength: float = 1.0) -> Styling:
        """As this model is asked to move in a style [S]."""
        space = self.styling.space
        return Styling(style=Style(vector, space.model, space.digest), strength=strength)

    def named(self, name: str, strength: float = 1.0) -> Styling:
        """The same in a style that ships."""
        return self.styling.resolved(Styling(style=name, strength=strength))

    def _frames(self, audio: Float32) -> int:
        return -(-len(audio) // self.frame_samples)

    def _fresh(self, styling: Styling, seed: int) -> Rows:
        asked = styling if styling.steps is not None else replace(styling, steps=self.steps)
        row = {**self.source.fresh_row(seed, 0), **self.source.acting_row(Acting(styling=asked))}
        return {
            name: np.array(np.broadcast_to(row.get(name, 0), (1, *shape)), dtype)
            for name, (shape, dtype) in self.source.columns.items()
        }


def amid(styles: list[Float32]) -> Float32:
    """The style [S] amid several."""
    return mean_style(np.stack(styles))


def _padded(audio: Float32, samples: int) -> Float32:
    padded = np.zeros(samples, np.float32)
    kept = min(samples, len(audio))
    padded[:kept] = audio[:kept]
    return padded


def _pose(made: Made) -> Float32:
    return np.concatenate([made.head, made.face[:, EXPRESSION_COUNT:]], axis=1)


def _made(runs: list[Float32], seams: list[int], frames: int) -> Made:
    motion = np.concatenate(runs)[:frames]
    head = motion[:, FACE:] if motion.shape[1] > FACE else np.zeros((len(motion), 3), np.float32)
    return Made(motion[:, :FACE], head, np.array([seam for seam in seams[1:] if seam < frames], np.intp))
