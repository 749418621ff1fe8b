"""The animation of a take in a glTF file: one clock, and a track for each thing that moves."""

import numpy as np

from facestream.errors import InvalidValue
from facestream.files.glb import GlbBuilder, Json
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames

GENERATOR = "facestream"


class AnimationTracks:
    """Collects tracks for nodes of `builder`; `write` makes them the first animation, which is the one players play.

    Times count from the take's first frame; the exact rate and index of that stand in the animation's extras. Raises
    `InvalidValue` for a take without frames.
    """

    def __init__(self, builder: GlbBuilder, frames: Frames, frame_rate: FrameRate) -> None:
        if not frames.count:
            raise InvalidValue("frames", "a take without frames", "at least one frame")
        times = np.arange(frames.count) * (frame_rate.denominator / frame_rate.numerator)
        self._builder = builder
        self._clock = builder.accessor(times.astype(np.float32), bounded=True)
        self._samplers: list[Json] = []
        self._channels: list[Json] = []
        self._about = {
            "frame_rate": [frame_rate.numerator, frame_rate.denominator], "first_index": frames.first_index
        }  # fmt: skip

    def rotation(self, node: int, turns: Float32) -> None:
        """Quaternions x y z w [F, 4] of a node."""
        self._add(node, "rotation", turns)

    def weights(self, node: int, weights: Float32) -> None:
        """Weights [F, targets] of every morph target of a node's mesh, in the mesh's order."""
        self._add(node, "weights", weights.ravel())

    def write(self) -> None:
        """Put the animation into the document, before any that is there."""
        take = {
            "name": "take",
            "samplers": self._samplers,
            "channels": self._channels,
            "extras": {GENERATOR: self._about},
        }
        self._builder.document["animations"] = [take, *self._builder.document.get("animations", [])]

    def _add(self, node: int, path: str, values: Float32) -> None:
        output = self._builder.accessor(np.ascontiguousarray(values, np.float32))
        self._samplers.append({"input": self._clock, "output": output, "interpolation": "LINEAR"})
        self._channels.append({"sampler": len(self._samplers) - 1, "target": {"node": node, "path": path}})
