"""Motion to ARKit weights: for every frame, the weights between 0 and 1 whose face comes closest to the motion.

    minimise over w in [0, 1]:   |W (A w - m)|^2  +  temporal_weight |S (w - previous)|^2

`A` is the rig profile's matrix, `W` the coefficient metric, `S` the size of each shape in that metric, so that the
temporal term counts alike for large and small shapes. A whole batch is solved at once by over-relaxed ADMM (Boyd et al.
2011, sections 3.4.3 and 5.2: quadratic program with a box) with one matrix prepared beforehand. The number of steps is
fixed: the time is known, and a row's result does not depend on the rows beside it. Opposed shapes (jawLeft, jawRight)
are never both active: half way, the smaller of the two is taken out.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX, OPPOSED_PAIRS
from facestream.errors import InvalidValue
from facestream.retarget.profile import RigProfile
from facestream.types import EXPRESSION_COUNT, JAW_COUNT, Float32

Float64 = npt.NDArray[np.float64]

_METRIC_POWER = 0.5
"""Between pure millimetres (1: small components drown, the normal matrix' condition is 2400) and plain coefficients
(0: condition 11, but a network's noise in components nobody sees counts in full); at 0.5 it is 50."""

_METRIC_FLOOR_MM = 0.02
_PENALTY, _RELAXATION = 0.4, 1.8
"""ADMM's rho on a normal matrix with unit diagonal, and its over-relaxation: the best pair for few steps. With 0.3 and
1.6 it takes 16 steps to be as right as 12 are with these."""

_STEPS = (5, 5)
"""Steps before and after opposed pairs are settled. From zero weights: mean error 0.0003, worst 0.022 on 40,000 random
faces; 6 and 6 steps 0.012, 4 and 4 0.061. On motion of real speech, from one frame to the next, 99.9 % of weights are
within 0.001 of 400 steps' (2026-11-22)."""

_TIE = 1e-5
"""A symmetric face gives equal opposed weights; within this margin the first stays, not the one rounding favours."""


class Retargeter:
    """Solves motion of one head, with one list of extras, into ARKit weights.

    Motion columns are expression (50), jaw (3), then `extras` by name. An extra named like an ARKit shape is that
    weight itself and is copied; shapes of the gaze are not in speech motion and stay 0 unless they come as extras.
    """

    def __init__(
        self, profile: RigProfile, extras: Sequence[str] = ("tongueOut",), *, temporal_weight: float = 1e-3
    ) -> None:
        if not 0 <= temporal_weight <= 1:
            raise InvalidValue("temporal_weight", temporal_weight, "0 (each frame alone) to 1")
        matrix = profile.rows(profile.motion_rows(extras)).astype(np.float64)
        weights = {
            name: float(weight) for name, weight in zip(profile.row_names, profile.coefficient_weights, strict=True)
        }
        copied = [name for name in extras if name in ARKIT_NAMES]
        self._copied_to = np.array([INDEX[name] for name in copied], np.intp)
        self._copied_from = np.array([EXPRESSION_COUNT + JAW_COUNT + extras.index(name) for name in copied], np.intp)
        fitted_rows = [index for index in range(len(matrix)) if index not in set(self._copied_from.tolist())]
        self._fitted_rows = np.array(fitted_rows, np.intp)
        # A shape that moves nothing in these rows (the tongue, where it is no extra) can not be seen, and stays 0.
        shows = np.abs(matrix[fitted_rows]).max(axis=0) > 0
        solved = [
            index
            for index, name in enumerate(ARKIT_NAMES)
            if name not in copied and not name.startswith("eyeLook") and shows[index]
        ]
        self._solved = np.array(solved, np.intp)
        self.motion_size = len(matrix)

        names = profile.motion_rows(extras)
        metric = np.array([max(weights[names[row]], _METRIC_FLOOR_MM) for row in fitted_rows]) ** _METRIC_POWER
        columns = metric[:, None] * matrix[np.ix_(fitted_rows, solved)]
        size = np.linalg.norm(columns, axis=0)
        columns = columns / size
        normal = columns.T @ columns + temporal_weight * np.eye(len(solved))
        # In float64: what a row shares its products with then never shows. In float32 it did, by 4e-6 in a frame and
        # 3e-5 in a stream, for 5 of 20 microseconds (2026-11-22).
        self._size = size
        self._temporal_weight = temporal_weight
        self._normal = normal
        self._to_right_side = metric[:, None] * columns
        self._copied_effect = matrix[np.ix_(fitted_rows, self._copied_to.tolist())].T
        # A step is linear up to the box: of weights z in the box, v (z and the multipliers) and the right side b,
        #   x = (penalty (2 z - v) + b) inverse,   v' = relaxation x + (1 - relaxation) z + v - z,   z' = v' in the box
        inverse = np.linalg.inv(normal + _PENALTY * np.eye(len(solved)))
        moved = _RELAXATION * _PENALTY * inverse
        here = np.eye(len(solved))
        self._step = np.concatenate((2 * moved - _RELAXATION * here, here - moved), axis=1)
        self._pulled = _RELAXATION * inverse
        pairs = [(INDEX[a], INDEX[b]) for a, b in OPPOSED_PAIRS if INDEX[a] in solved and INDEX[b] in solved]
        self._pairs = np.array([[solved.index(a), solved.index(b)] for a, b in pairs], np.intp).reshape(-1, 2)

    def solve(self, motion: Float32, previous: Float32) -> Float32:
        """Weights [B, 52], each 0..1, for motion [B, D]; `previous` [B, 52] are the last frame's (zeros at first).

        Finite input is the caller's duty; the border has checked it.
        """
        self._check(motion, axes=2)
        return self.solve_in_turn(motion[:, None], previous, np.ones(len(motion), np.intp))[:, 0]

    def solve_in_turn(self, motion: Float32, previous: Float32, counts: npt.NDArray[np.intp]) -> Float32:
        """The same [B, F, 52] for `counts` [B] frames of motion [B, F, D], each behind the one before it.

        What no frame needs of another is done for all of them at once. Beyond a row's count nothing is meant.
        """
        self._check(motion, axes=3)
        row_count, frame_count = motion.shape[:2]
        flat, flat_side = self._prepared(motion.reshape(-1, self.motion_size))
        weights = flat.reshape(row_count, frame_count, CURVE_COUNT)
        right_side = flat_side.reshape(row_count, frame_count, len(self._solved))
        found = np.zeros((row_count, frame_count, len(self._solved)), np.float32)
        last = previous[:, self._solved]
        for frame in range(frame_count):
            active = np.flatnonzero(counts > frame)
            last[active] = found[active, frame] = self._solved_from(right_side[active, frame], last[active])
        weights[:, :, self._solved] = found
        return weights

    def _check(self, motion: Float32, axes: int) -> None:
        if motion.ndim != axes or motion.shape[-1] != self.motion_size:
            expected = ("B", "F")[: axes - 1]
            raise InvalidValue("motion", f"shape {motion.shape}", f"[{', '.join(expected)}, {self.motion_size}]")

    def _prepared(self, motion: Float32) -> tuple[Float32, Float64]:
        """Weights [B, 52] with what is copied in its place, and the right side [B, N] but for the temporal term."""
        weights = np.zeros((len(motion), CURVE_COUNT), np.float32)
        weights[:, self._copied_to] = np.clip(motion[:, self._copied_from], 0, 1)
        fitted = motion[:, self._fitted_rows] - weights[:, self._copied_to] @ self._copied_effect
        return weights, fitted @ self._to_right_side

    def _solved_from(self, right_side: Float64, previous: Float32) -> Float32:
        """The weights [B, N] that are solved for, behind the `previous` ones of them [B, N]."""
        start = previous * self._size
        scaled = self._fit((right_side + self._temporal_weight * start).T, start.T)
        found: Float32 = np.minimum(scaled.T / self._size, 1.0).astype(np.float32)
        return found

    def _fit(self, right_side: Float64, start: Float64) -> Float64:
        """Scaled weights [N, B] between 0 and the shape's size; rows are shapes, so that halves of it lie together."""
        count = len(self._solved)
        upper = np.repeat(self._size[:, None], start.shape[1], axis=1)
        now, coming = np.empty((2, 2 * count, start.shape[1]))
        inside = np.minimum(start, upper, out=now[:count])
        # Multipliers that would make the start optimal, where it sits on a bound that pushes back.
        pull = (right_side - self._normal @ inside) / _PENALTY
        dual = np.where(inside <= 0, np.minimum(pull, 0), np.where(inside >= upper, np.maximum(pull, 0), 0))
        np.add(inside, dual, out=now[count:])
        pulled = self._pulled @ right_side
        now, coming = self._iterate(now, coming, pulled, upper, _STEPS[0])

        first, second = now[self._pairs[:, 0]], now[self._pairs[:, 1]]
        first_leads = first >= second - _TIE
        upper[self._pairs[:, 0]] *= first_leads
        upper[self._pairs[:, 1]] *= ~first_leads
        np.minimum(now[:count], upper, out=now[:count])
        now, _ = self._iterate(now, coming, pulled, upper, _STEPS[1])
        return now[:count]

    def _iterate(
        self, now: Float64, coming: Float64, pulled: Float64, upper: Float64, steps: int
    ) -> tuple[Float64, Float64]:
        """ADMM steps from z and v, one above the other in `now` [2 N, B], by turns in both buffers; last one first."""
        count = len(upper)
        for _ in range(steps):
            free = np.matmul(self._step, now, out=coming[count:])
            free += pulled
            np.maximum(free, 0, out=coming[:count])
            np.minimum(coming[:count], upper, out=coming[:count])
            now, coming = coming, now
        return now, coming
