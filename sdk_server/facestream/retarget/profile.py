"""Rig profile: how the 52 ARKit shapes look in the motion coefficients of one head.

One npz a head, made once by `facestream head fit`. Rows of the matrix are named, so that a bundle which sends only
some of them (no eyes, other extras) picks its rows by name.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.errors import BundleError, NotFound
from facestream.types import EXPRESSION_COUNT, JAW_COUNT, Float32

EXPRESSION_ROWS: tuple[str, ...] = tuple(f"expression_{index:02d}" for index in range(EXPRESSION_COUNT))
JAW_ROWS: tuple[str, ...] = tuple(f"jaw_{axis}" for axis in "xyz"[:JAW_COUNT])
EYE_ROWS: tuple[str, ...] = tuple(f"{side}_eye_{axis}" for side in ("left", "right") for axis in "xyz")

PROFILE_FORMAT = 1


@dataclass(frozen=True)
class RigProfile:
    """One head's profile.

    `arkit_to_motion` [D, 52]: column c holds the motion coefficients of ARKit shape c at full strength; rows
    are 50 expression coefficients, 3 jaw and 2 x 3 eye axis-angles in radians, then extras (one row each, 1 at the
    shape of that name). `row_names` [D]. `coefficient_weights` [D]: millimetres (RMS over the face) that one unit of
    the coefficient moves, the natural metric for losses and fits. `landmark_neutral` [L, 3] and
    `landmark_dirs` [L, 3, 52] in metres give a landmark's place for any weights. `head_digest` names the head.
    """

    arkit_to_motion: Float32
    row_names: tuple[str, ...]
    coefficient_weights: Float32
    landmark_names: tuple[str, ...]
    landmark_neutral: Float32
    landmark_dirs: Float32
    head_digest: str

    def motion_rows(self, extras: Sequence[str] = ()) -> list[str]:
        """Names of the columns of a motion matrix with these extras: expression, jaw, extras."""
        return [*EXPRESSION_ROWS, *JAW_ROWS, *extras]

    def rows(self, names: Sequence[str]) -> Float32:
        """Rows [len(names), 52] of the matrix; a name that is an ARKit curve but no row is one at that curve.

        Raises `NotFound` for a name that is neither.
        """
        place = {name: index for index, name in enumerate(self.row_names)}
        picked = np.zeros((len(names), CURVE_COUNT), np.float32)
        for index, name in enumerate(names):
            if name in place:
                picked[index] = self.arkit_to_motion[place[name]]
            elif name in ARKIT_NAMES:
                picked[index, ARKIT_NAMES.index(name)] = 1
            else:
                raise NotFound("motion coefficient", name, [*self.row_names, *ARKIT_NAMES])
        return picked

    def motion_of(self, weights: Float32, extras: Sequence[str] = ()) -> Float32:
        """Motion [..., 53 + E] that ARKit `weights` [..., 52] look like on this head."""
        motion: Float32 = weights @ self.rows(self.motion_rows(extras)).T
        return motion

    def landmarks_of(self, weights: Float32) -> Float32:
        """Landmark positions [..., L, 3] in metres, neutral head pose, for ARKit `weights` [..., 52]."""
        places: Float32 = self.landmark_neutral + np.einsum("lac,...c->...la", self.landmark_dirs, weights)
        return places

    def lip_gap_of(self, weights: Float32) -> Float32:
        """Mean opening [...] in metres between the lips over the middle half of the mouth; 0 at rest or closer."""
        places = self.landmarks_of(weights)[..., 1]
        rest = self.landmark_neutral[:, 1]
        upper = [index for index, name in enumerate(self.landmark_names) if name.startswith("lip_upper")]
        lower = [index for index, name in enumerate(self.landmark_names) if name.startswith("lip_lower")]
        gap = places[..., upper] - places[..., lower] - (rest[upper] - rest[lower])
        closed: Float32 = np.clip(gap, 0, None).mean(axis=-1)
        return closed


def shipped_profile_path() -> Path:
    """The profile of the open head that is installed with the package."""
    return Path(str(files("facestream_bundles"))) / "head" / "rig_profile.npz"


def load_profile(path: Path | None = None, head_digest: str | None = None) -> RigProfile:
    """Read a profile, by default the open head's; with `head_digest`, refuse one made for another head.

    Raises `BundleError`.
    """
    path = path or shipped_profile_path()
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if int(arrays["format"]) != PROFILE_FORMAT:
                raise ValueError(f"format {int(arrays['format'])}, this version reads {PROFILE_FORMAT}")
            profile = RigProfile(
                arkit_to_motion=arrays["arkit_to_motion"].astype(np.float32),
                row_names=tuple(str(name) for name in arrays["row_names"]),
                coefficient_weights=arrays["coefficient_weights"].astype(np.float32),
                landmark_names=tuple(str(name) for name in arrays["landmark_names"]),
                landmark_neutral=arrays["landmark_neutral"].astype(np.float32),
                landmark_dirs=arrays["landmark_dirs"].astype(np.float32),
                head_digest=str(arrays["head_digest"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: not a rig profile ({error}); make one with: facestream head fit") from error
    _check(profile, path)
    if head_digest is not None and profile.head_digest != head_digest:
        raise BundleError(
            f"{path}: made for head {profile.head_digest[:12]}, but {head_digest[:12]} is needed; "
            "use the profile of that head or fit one with: facestream head fit"
        )
    return profile


def _check(profile: RigProfile, path: Path) -> None:
    rows, count = len(profile.row_names), len(profile.landmark_names)
    shapes = {
        "arkit_to_motion": (profile.arkit_to_motion, (rows, CURVE_COUNT)),
        "coefficient_weights": (profile.coefficient_weights, (rows,)),
        "landmark_neutral": (profile.landmark_neutral, (count, 3)),
        "landmark_dirs": (profile.landmark_dirs, (count, 3, CURVE_COUNT)),
    }
    for name, (array, shape) in shapes.items():
        if array.shape != shape or not np.isfinite(array).all():
            raise BundleError(f"{path}: {name} must be finite with shape {shape}, got {array.shape}")
    missing = set(EXPRESSION_ROWS + JAW_ROWS) - set(profile.row_names)
    if missing:
        raise BundleError(f"{path}: rows {', '.join(sorted(missing))} are missing; make the profile again")
