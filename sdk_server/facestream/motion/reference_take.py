"""A recording of a face as the motion of a head, 25 frames a second: what a style is extracted from.

    Live Link Face CSV, glTF, or an npz of ours   52 ARKit weights -> motion of a head, by its rig profile
    npz with `exp` [F, 50] and `pose` [F, 6]      FLAME coefficients as they are; `fps` where they are not at 25

A recorder stands where it stands: with ARKit weights the mean direction of the head counts as straight ahead.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facestream.errors import InvalidValue
from facestream.files.csv import read_csv
from facestream.files.gltf_reader import read_gltf_take
from facestream.files.npz import read_npz
from facestream.retarget.profile import RigProfile
from facestream.types import EXPRESSION_COUNT, JAW_COUNT, Float32, Pose

FRAME_RATE = 25
LEAST_SECONDS = 4.0
"""The style encoder looks at 100 frames at once."""

_RATES = (9.9, 250.0)
_LONGEST_GAP_S = 0.5
_DAY_S = 86_400.0
_LARGEST = {"exp": 20.0, "pose": float(np.pi)}
_STILL = 1e-3
"""Standard deviation of the liveliest coefficient; faces that talk have 0.1 and more."""

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReferenceMotion:
    """`expression` [F, 50] and `pose` [F, 6] (head axis-angle, jaw axis-angle, radians) at 25 frames a second."""

    expression: Float32
    pose: Float32

    @property
    def seconds(self) -> float:
        return len(self.expression) / FRAME_RATE


def read_reference(path: Path, profile: RigProfile | None) -> ReferenceMotion:
    """Read a take; `profile` is that of the head whose motion is wanted, `None` where only FLAME coefficients will do.

    Raises `InvalidValue` naming what is wrong: no take, one shorter than 4 s, fewer than 10 frames a second or more
    than 250, frames that go back or are missing, numbers that are not those of a face, a face that never moves.
    """
    if not path.is_file():
        raise InvalidValue("take", path, "a file that exists")
    kind = path.suffix.lower()
    if kind == ".csv":
        take = read_csv(path)
        times, motion = _unwrapped(take.times_s), _of_weights(take.weights, take.pose, profile)
    elif kind == ".npz":
        times, motion = _read_arrays(path, profile)
    elif kind in (".glb", ".gltf"):
        found = read_gltf_take(path)
        times, motion = found.times_s, _of_weights(found.weights, found.pose, profile)
    else:
        allowed = "a Live Link Face .csv, a glTF file (.glb, .gltf), or an .npz of weights or FLAME coefficients"
        raise InvalidValue("take", path.name, allowed)
    return _checked(path, _at_frame_rate(path, times, motion))


def _read_arrays(path: Path, profile: RigProfile | None) -> tuple[Times, Float32]:
    """Times [F] and expression with pose [F, 56] of an npz of either kind."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in ("exp", "pose", "fps") if name in content}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidValue("take", f"{path}, which can not be read ({error})", "an npz") from error
    if "exp" not in arrays:
        frames, frame_rate = read_npz(path)
        return np.arange(frames.count) / float(frame_rate.fraction), _of_weights(frames.weights, frames.pose, profile)
    missing = {"exp", "pose"} - set(arrays)
    shapes = {name: arrays[name].shape for name in ("exp", "pose") if name in arrays}
    count = len(arrays["exp"]) if arrays["exp"].ndim else 0
    if missing or shapes != {"exp": (count, EXPRESSION_COUNT), "pose": (count, 6)}:
        raise InvalidValue("take", f"{path} with arrays {shapes}", "exp [F, 50] and pose [F, 6] of as many frames")
    for name, most in _LARGEST.items():
        values = arrays[name]
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            raise InvalidValue(f"{name} at frame {bad[0][0]}", values[tuple(bad[0])], "finite numbers")
        if count and float(np.abs(values).max()) > most:
            unit = "radians, not degrees" if name == "pose" else "FLAME coefficients"
            raise InvalidValue(name, f"values up to {np.abs(values).max():.3g}", f"-{most:.3g} to {most:.3g} ({unit})")
    rate = float(arrays.get("fps", np.array(FRAME_RATE)))
    if not rate > 0:
        raise InvalidValue("fps", rate, f"{_RATES[0]:g} to {_RATES[1]:g}")
    return np.arange(count) / rate, np.concatenate([arrays["exp"], arrays["pose"]], axis=1).astype(np.float32)


def _of_weights(weights: Float32, pose: Pose | None, profile: RigProfile | None) -> Float32:
    """Expression and pose [F, 56] of ARKit `weights` [F, 52]."""
    if profile is None:
        allowed = "an .npz with exp and pose: the model has no head; convert it again with --flame"
        raise InvalidValue("take", "ARKit weights", allowed)
    motion = profile.motion_of(weights)
    head = np.zeros((len(weights), 3), np.float32) if pose is None else _around_the_mean(pose.head)
    expression, jaw = motion[:, :EXPRESSION_COUNT], motion[:, EXPRESSION_COUNT : EXPRESSION_COUNT + JAW_COUNT]
    return np.concatenate([expression, head, jaw], axis=1).astype(np.float32)


def _around_the_mean(rotation: Float32) -> Float32:
    """Axis-angle [F, 3] of quaternions [F, 4] (x y z w), seen from their mean direction."""
    turned = rotation.astype(np.float64)
    turned = turned * np.where(turned @ turned[0] < 0.0, -1.0, 1.0)[:, None]
    mean = turned.mean(axis=0)
    vector, scalar = -mean[:3] / np.linalg.norm(mean), mean[3] / np.linalg.norm(mean)
    relative = scalar * turned[:, :3] + turned[:, 3:] * vector + np.cross(vector, turned[:, :3])
    real = scalar * turned[:, 3] - turned[:, :3] @ vector
    sine = np.linalg.norm(relative, axis=1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, real[:, None])
    return np.asarray(relative * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 2.0), np.float32)


def _unwrapped(times: Times) -> Times:
    """Times of day that go on after midnight."""
    return np.asarray(np.unwrap(times, period=_DAY_S), np.float64)


def _at_frame_rate(path: Path, times: Times, motion: Float32) -> Float32:
    """`motion` [F, 56] at `times` as it is every 1/25 s, linearly between frames."""
    if len(times) < 2:
        raise InvalidValue("take", f"{path} with {len(times)} frames", f"{LEAST_SECONDS:g} s or more")
    steps = np.diff(times)
    if steps.min() <= 0.0:
        raise InvalidValue("take", f"{path}, where frame {int(steps.argmin()) + 1} is no later", "times that rise")
    if steps.max() > _LONGEST_GAP_S:
        raise InvalidValue(
            "take", f"{path} with a gap of {steps.max():.2f} s behind frame {int(steps.argmax())}",
            f"gaps of at most {_LONGEST_GAP_S:g} s; cut the take there",
        )  # fmt: skip
    rate = 1.0 / float(np.median(steps))
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InvalidValue("take", f"{path} at {rate:.3g} frames a second", f"{_RATES[0]:g} to {_RATES[1]:g}")
    # the last frame lasts as long as the others
    count = int((times[-1] - times[0] + float(np.median(steps))) * FRAME_RATE + 1e-6)
    place = np.interp(times[0] + np.arange(count) / FRAME_RATE, times, np.arange(len(times)))
    before = np.minimum(place.astype(np.intp), len(times) - 2)
    share = (place - before)[:, None]
    return np.asarray((1.0 - share) * motion[before] + share * motion[before + 1], np.float32)


def _checked(path: Path, motion: Float32) -> ReferenceMotion:
    seconds = len(motion) / FRAME_RATE
    if seconds < LEAST_SECONDS:
        raise InvalidValue("take", f"{path} of {seconds:.2f} s", f"{LEAST_SECONDS:g} s or more; ten are better")
    reference = ReferenceMotion(motion[:, :EXPRESSION_COUNT], motion[:, EXPRESSION_COUNT:])
    if float(reference.expression.std(axis=0).max()) < _STILL:
        raise InvalidValue("take", f"{path}, in which the face does not move", "someone who talks")
    return reference
