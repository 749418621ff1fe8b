"""Random numbers that depend on a seed and a counter only, never on when or in what batch they are asked for."""

import numpy as np
import numpy.typing as npt

Counter = npt.NDArray[np.uint64]
Float64 = npt.NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def uniform(seed: Counter, lane: int | Counter, block: Counter, index: Counter) -> Float64:
    """Numbers in (0, 1), of a shape that all four share or stretch to: hash of the stream's seed, a lane (which use), a
    block and an index.

    The mixing is SplitMix64 (Steele, Lea, Flood 2014), one round per part of the key.
    """
    key = _mixed(seed + np.asarray(lane, np.uint64))
    key = _mixed(key ^ block)
    key = _mixed(key ^ index)
    return ((key >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(seed: Counter, lane: int | Counter, block: Counter, index: Counter) -> Float64:
    """Standard normal numbers (Box-Muller); shapes as `uniform`. Takes lanes `lane` and `lane + 1`."""
    radius = np.sqrt(-2.0 * np.log(uniform(seed, lane, block, index)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(seed, lane + 1, block, index)))


def _mixed(value: Counter) -> Counter:
    value = value + _GOLDEN
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return np.asarray(value ^ (value >> np.uint64(31)))
