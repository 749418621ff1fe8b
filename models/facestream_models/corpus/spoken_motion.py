"""The part of a take's motion that a generator is to make: all but blinks and gaze.

The runtime adds both itself. Left in, they cost codes or steps of a network that then says less of lips and brows, and
who judges an emotion by a face takes a blink for a part of it.
"""

import functools

import numpy as np

from facestream.curves import ARKIT_NAMES
from facestream.retarget.profile import load_profile
from facestream.types import EXPRESSION_COUNT, JAW_COUNT, Float32
from facestream_models.corpus.emotional_take import Take

_COEFFICIENTS = EXPRESSION_COUNT + JAW_COUNT
_ADDED_LATER = tuple(
    index for index, name in enumerate(ARKIT_NAMES) if name.startswith("eyeBlink") or name.startswith("eyeLook")
)


def spoken_motion(take: Take) -> Float32:
    """Expression and jaw [F, 53] of `take`, whose motion is that of the shipped head."""
    motion = take.motion[:, :_COEFFICIENTS] - take.curves[:, _ADDED_LATER] @ _columns().T
    return np.asarray(motion, np.float32)


@functools.cache
def _columns() -> Float32:
    """Motion coefficients [53, N] of each shape that the runtime adds."""
    profile = load_profile()
    return profile.rows(profile.motion_rows())[:, _ADDED_LATER]
