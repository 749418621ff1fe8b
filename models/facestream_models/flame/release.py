"""Whether a FLAME file is the release that the released models' coefficients belong to: FLAME 2020.

Their motion is made of estimates in the expression basis of FLAME 2020; the bases of the releases are not
interchangeable (deeptalk specification, section 4; diffposetalk specification, section 9). The releases share a mesh
and do not say their year, so this looks at what tells them apart: in 2017 and 2019 expressions leave the eyeballs, neck
and back of the head exactly where they are, in 2020 they move all of the head. 2023 has a file name of its own; a
renamed one can not be told.
"""

from pathlib import Path

import numpy as np

from facestream.errors import BundleError
from facestream_models.flame.head import Head

VERTICES, TRIANGLES, EXPRESSIONS = 5023, 9976, 100
_UNMOVED_AT_MOST = 0.25
"""Share of vertices: the eyeballs alone, which might be left still, are 0.22 of the mesh."""

_NEXT = "give generic_model.pkl of FLAME 2020 (flame.is.tue.mpg.de)"


def check_flame_2020(head: Head, path: Path) -> None:
    """Raise `BundleError`, one line, where `head` as read from `path` is not FLAME 2020 as far as can be told."""
    counts = (head.vertex_count, len(head.triangles), head.expression_dirs.shape[2])
    if counts != (VERTICES, TRIANGLES, EXPRESSIONS):
        raise BundleError(
            f"{path}: found {counts[0]} vertices, {counts[1]} triangles and {counts[2]} expression components; "
            f"expected the {VERTICES}, {TRIANGLES} and {EXPRESSIONS} of FLAME 2020; {_NEXT}"
        )
    if "2023" in path.name:
        raise BundleError(
            f"{path}: found FLAME 2023 by its name; expected FLAME 2020, whose expressions differ; {_NEXT}"
        )
    unmoved = float(np.mean(np.abs(head.expression_dirs).max(axis=(1, 2)) == 0))
    if unmoved > _UNMOVED_AT_MOST:
        raise BundleError(
            f"{path}: found expressions that leave {unmoved:.0%} of the vertices still, as in FLAME 2017 and 2019; "
            f"expected FLAME 2020, where they move the whole head; {_NEXT}"
        )
