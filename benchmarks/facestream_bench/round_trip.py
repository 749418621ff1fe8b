"""Round trip ARKit -> FLAME motion -> ARKit on the open head, and what the solver costs.

python -m facestream_bench.round_trip
"""

import time
from collections.abc import Callable

import numpy as np

from facestream.curves import CURVE_COUNT
from facestream.retarget.profile import load_profile
from facestream.retarget.solver import Retargeter
from facestream.types import Float32
from facestream_bench.plausible_faces import moving_faces, plausible_faces
from facestream_bench.results import write_results

FACES = 20_000
SEQUENCES, SEQUENCE_FRAMES = 64, 600
EXTRAS = ("tongueOut",)
REPEATS = 300


def main() -> None:
    """Measure and write `benchmarks/results/round_trip.json`."""
    profile = load_profile()
    retargeter = Retargeter(profile, EXTRAS)
    rng = np.random.default_rng(20261121)

    faces = plausible_faces(FACES, rng)
    motion = profile.motion_of(faces, EXTRAS)
    cold = np.abs(retargeter.solve(motion, np.zeros_like(faces)) - faces)

    runs = np.stack([moving_faces(SEQUENCE_FRAMES, rng) for _ in range(SEQUENCES)], axis=1)
    previous = np.zeros((SEQUENCES, CURVE_COUNT), np.float32)
    warm = np.empty_like(runs)
    for index, frame in enumerate(runs):
        previous = retargeter.solve(profile.motion_of(frame, EXTRAS), previous)
        warm[index] = np.abs(previous - frame)

    figures = {
        "round_trip.cold_mean": float(cold.mean()),
        "round_trip.cold_worst": float(cold.max()),
        "round_trip.moving_mean": float(warm.mean()),
        "round_trip.moving_worst": float(warm.max()),
    }
    for rows in (1, 8, 64):
        seconds = _median_seconds(lambda rows=rows: retargeter.solve(motion[:rows], faces[:rows]))  # type: ignore[misc]
        figures[f"solve.rows_{rows}_us_per_frame"] = seconds / rows * 1e6
    path = write_results("round_trip", "python -m facestream_bench.round_trip", figures, notes=(
        f"{FACES} single random faces solved from zero; {SEQUENCES} moving faces of {SEQUENCE_FRAMES} frames",
    ))  # fmt: skip
    for name, value in figures.items():
        print(f"{name:32} {value:.5f}")
    print(path)


def _median_seconds(run: Callable[[], Float32]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


if __name__ == "__main__":
    main()
