"""Between FLAME coefficients and the normalised motion that the networks speak (specification, section 2).

    motion = [expression 50 | head rotation 3, where the model has it | opening of the jaw 1], (x - mean) / deviation

`pose` is [head rotation 3 | jaw 3], axis-angles in radians. The statistics are a part of the model: the deviations are
those within short crops, they can not be guessed from data and a model is wrong with any others.
"""

import hashlib
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from facestream.errors import BundleError, InvalidValue
from facestream.types import EXPRESSION_COUNT

Float = npt.NDArray[np.float32]

_HEAD = slice(0, 3)
_JAW_OPENING = slice(3, 4)
_JAW_REST = slice(4, 6)
_SIZES = {"shape": 100, "exp": EXPRESSION_COUNT, "pose": 6}
_MOST = {"exp_mean": 5.0, "exp_std": 5.0, "pose_mean": 1.0, "pose_std": 1.0, "shape_mean": 10.0, "shape_std": 10.0}
"""Components of FLAME faces are within a few units of 0; head and jaw of who talks turn by less than 60 degrees."""

_WHERE = "`stats_train.npz` comes with the data set of the model's authors, not with their weights; ask them for it"


@dataclass(frozen=True)
class MotionStatistics:
    """Mean and deviation of identity [100], expression [50] and pose [6]. The last two of pose are never divided by."""

    shape_mean: Float
    shape_std: Float
    exp_mean: Float
    exp_std: Float
    pose_mean: Float
    pose_std: Float

    def __post_init__(self) -> None:
        for entry in fields(self):
            array, size = getattr(self, entry.name), _SIZES[entry.name.split("_")[0]]
            if array.shape != (size,) or not np.isfinite(array).all():
                raise InvalidValue(f"statistics.{entry.name}", f"shape {array.shape}", f"{size} finite numbers")
        for name, divisors in (("shape", self.shape_std), ("exp", self.exp_std), ("pose", self.pose_std[:4])):
            if not (divisors > 0.0).all():
                raise InvalidValue(f"statistics.{name}_std", f"{divisors.min():g}", "more than 0 in every component")

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the file of the model's authors; its other arrays are not needed.

        Raises `InvalidValue` where there is no file or numbers are impossible, `BundleError` where it is not the file.
        """
        if not path.is_file():
            raise InvalidValue("statistics", path, f"the file that belongs to the weights. {_WHERE}")
        try:
            with np.load(path, allow_pickle=False) as content:
                return cls(**{entry.name: content[entry.name].astype(np.float32).squeeze() for entry in fields(cls)})
        except (OSError, EOFError, TypeError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BundleError(f"{path}: not the statistics of a DiffPoseTalk model ({error}). {_WHERE}") from error

    @property
    def digest(self) -> str:
        """SHA-256 of all numbers as little-endian float32, to tell whether two models share their space."""
        numbers = np.concatenate([getattr(self, entry.name) for entry in fields(self)])
        return hashlib.sha256(numbers.astype("<f4").tobytes()).hexdigest()


def check_plausible(statistics: MotionStatistics, path: Path) -> None:
    """Refuse numbers that can not be those of FLAME faces in radians. Raises `BundleError` naming the first of them."""
    for name, most in _MOST.items():
        largest = float(np.abs(getattr(statistics, name)).max())
        if largest > most:
            raise BundleError(
                f"{path}: found {name} up to {largest:.3g}; expected at most {most:g} (FLAME coefficients, radians); "
                f"it belongs to another model. {_WHERE}"
            )


@dataclass(frozen=True)
class MotionSpace:
    """Conversions for one model: its statistics, and whether it moves the head."""

    statistics: MotionStatistics
    head_rotation: bool

    def identity(self, shape: Float) -> Float:
        """FLAME identity [..., 100], normalised."""
        return (shape - self.statistics.shape_mean) / self.statistics.shape_std

    def normalised(self, expression: Float, pose: Float) -> Float:
        """Motion [..., D] of `expression` [..., 50] and `pose` [..., 6]; what the model does not move is dropped."""
        known = self.statistics
        turned = (pose[..., :4] - known.pose_mean[:4]) / known.pose_std[:4]
        head = [turned[..., _HEAD]] if self.head_rotation else []
        expression = (expression - known.exp_mean) / known.exp_std
        return np.concatenate([expression, *head, turned[..., _JAW_OPENING]], axis=-1)

    def restored(self, motion: Float) -> tuple[Float, Float]:
        """Expression [..., 50] and pose [..., 6] of `motion` [..., D].

        Jaw components that the model does not move come back as their means, a head that it does not move as 0.
        """
        known = self.statistics
        expression = motion[..., :EXPRESSION_COUNT] * known.exp_std + known.exp_mean
        pose = np.zeros((*motion.shape[:-1], 6), np.float32)
        if self.head_rotation:
            head = motion[..., EXPRESSION_COUNT:-1]
            pose[..., _HEAD] = head * known.pose_std[_HEAD] + known.pose_mean[_HEAD]
        pose[..., _JAW_OPENING] = motion[..., -1:] * known.pose_std[_JAW_OPENING] + known.pose_mean[_JAW_OPENING]
        pose[..., _JAW_REST] = known.pose_mean[_JAW_REST]
        return expression, pose
