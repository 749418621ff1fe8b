"""What a face in motion shows, the same for every system that moves one.

Whatever is compared, a true take, a network, frames of a client, goes through the same eyes: points in millimetres,
ARKit weights by the runtime's own solver, visemes read off the lips. Motion is [F, 53] at 25 Hz unless it says
otherwise; frame j is at 40 j ms.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from facestream.curves import CURVE_COUNT
from facestream.retarget.profile import load_profile
from facestream.retarget.solver import Retargeter
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_bench.quality_systems import STEP, Heard, curves_of
from facestream_models.corpus.phones import MERGED
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.lip_reader import LipReader

COEFFICIENTS = EXPRESSION_COUNT + JAW_COUNT
READ_FRAMES = 48
"""The lip reader is trained on windows of so many frames and takes its bearings from their mean."""

Float32 = NDArray[np.float32]
_CLASS_OF_MERGED = np.array([MERGED.index(number) for number in range(max(MERGED) + 1)])


class SeenFace:
    """Looks at motion on the shipped head; `reader` reads its lips, and nobody does without one."""

    def __init__(self, mesh: FaceMesh, reader: LipReader | None) -> None:
        self.mesh, self.reader = mesh.eval(), None if reader is None else reader.eval()
        self.profile = load_profile()
        self.retargeter = Retargeter(self.profile, (), temporal_weight=0.0)
        self.is_lip, self.is_upper = mesh.is_lip.numpy(), mesh.is_upper.numpy()
        self.rest = self.points(np.zeros((1, COEFFICIENTS), np.float32))[0]

    @torch.no_grad()
    def points(self, motion: Float32) -> Float32:
        """Points [F, V, 3] in mm."""
        return np.asarray(self.mesh(torch.from_numpy(np.ascontiguousarray(motion))).numpy(), np.float32)

    def weights(self, motion: Float32) -> Float32:
        """ARKit weights [F, 52], each frame for itself."""
        return self.retargeter.solve(motion[:, :COEFFICIENTS], np.zeros((len(motion), CURVE_COUNT), np.float32))

    @torch.no_grad()
    def visemes(self, motion: Float32) -> NDArray[np.int64]:
        """Merged class that the lips show at each frame [F], read in windows of `READ_FRAMES`; needs a reader."""
        assert self.reader is not None
        lips = torch.from_numpy(self.points(motion)[:, self.is_lip])
        frames = len(lips)
        read = np.zeros(frames, np.int64)
        for first in range(0, frames, READ_FRAMES):
            first = max(min(first, frames - READ_FRAMES), 0)
            window = lips[None, first : first + READ_FRAMES]
            read[first : first + READ_FRAMES] = self.reader(window)[0].argmax(dim=1).numpy()
        return read

    def classes(self, motion: Float32, samples: int) -> NDArray[np.int64]:
        """Class read off the lips at 0, 20, 40 ... ms of a clip of `samples`, of motion at 25 Hz; needs a reader."""
        visemes = self.visemes(motion)
        nearest = np.minimum(np.arange(samples // STEP + 1) // 2, len(visemes) - 1)
        read: NDArray[np.int64] = _CLASS_OF_MERGED[visemes[nearest]]
        return read

    def curves(self, motion: Float32, samples: int) -> Float32:
        """Speech curves at 0, 20, 40 ... ms of a clip of `samples`."""
        return curves_of(self.weights(to_50_hz(motion, samples)))[: samples // STEP + 1]

    def heard(self, motion: Float32, samples: int) -> Heard:
        """Speech curves, and classes read off the lips, at 0, 20, 40 ... ms of a clip of `samples`."""
        return Heard(self.curves(motion, samples), self.classes(motion, samples))

    def heard_weights(self, weights: Float32, samples: int) -> Heard:
        """The same of ARKit weights [F, 52] at 50 Hz."""
        curves = curves_of(weights)[: samples // STEP + 1]
        return Heard(curves, self.classes(self.profile.motion_of(weights[::2]), samples))

    def heard_50_hz(self, motion: Float32, samples: int) -> Heard:
        """The same of motion at 50 Hz, of which the lip reader is shown every other frame."""
        motion = motion[:, :COEFFICIENTS]
        return Heard(curves_of(self.weights(motion))[: samples // STEP + 1], self.classes(motion[::2], samples))


def to_50_hz(motion: Float32, samples: int) -> Float32:
    """Motion [F, D] at 25 Hz on the straight lines between its frames, at 0, 20 ... ms; the last frame stays."""
    place = np.minimum(np.arange(samples // STEP + 1) / 2.0, len(motion) - 1)
    before = place.astype(np.int64)
    share = (place - before).astype(np.float32)[:, None]
    after = motion[np.minimum(before + 1, len(motion) - 1)]
    between: Float32 = motion[before] + share * (after - motion[before])
    return between
