import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import CURVE_COUNT, INDEX
from facestream.polish.limits import limit
from facestream.polish.smoothing import CLOSERS, OPENERS, smooth
from facestream.types import Float32

JAW, CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]
FRAME_S = np.array([1 / 30])


def smoothed(frames: Float32, strength: float = 1.0, frame_s: float = 1 / 30) -> Float32:
    last = np.zeros((1, CURVE_COUNT), np.float32)
    output = []
    for frame in frames:
        last = smooth(frame[None], last, np.array([strength], np.float32), np.array([frame_s]))
        output.append(last[0])
    return np.array(output)


def moving_average(frames: Float32) -> Float32:
    last = np.zeros(CURVE_COUNT, np.float32)
    output = []
    for frame in frames:
        last = 0.5 * last + 0.5 * frame
        output.append(last)
    return np.array(output)


def speech_with_a_closure() -> Float32:
    """Open, one frame of shut lips, open: the shortest /b/ there is."""
    frames = np.zeros((9, CURVE_COUNT), np.float32)
    frames[:, JAW] = 0.6
    frames[4, JAW] = 0.1
    frames[4, CLOSE] = 0.1
    return frames


def test_a_closure_of_one_frame_survives_in_full() -> None:
    frames = smoothed(speech_with_a_closure())
    assert frames[4, JAW] - frames[4, CLOSE] <= 1e-6
    # the control: a moving average leaves the lips a quarter open in the middle of the /b/
    averaged = moving_average(speech_with_a_closure())
    assert averaged[4, JAW] - averaged[4, CLOSE] > 0.25


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.sampled_from([24, 30, 60]))
def test_the_mouth_is_never_wider_open_than_it_came_in(seed: int, strength: float, rate: int) -> None:
    rng = np.random.default_rng(seed)
    frames = np.clip(rng.normal(0.3, 0.4, (30, CURVE_COUNT)), 0, 1).astype(np.float32)
    limit(frames)
    output = smoothed(frames, strength, 1 / rate)
    assert (output[:, OPENERS] <= frames[:, OPENERS] + 1e-6).all()
    assert (output[:, CLOSERS] >= frames[:, CLOSERS] - 1e-6).all()
    # the control: a moving average breaks both
    averaged = moving_average(frames)
    assert (averaged[:, OPENERS] > frames[:, OPENERS] + 0.05).any()
    assert (averaged[:, CLOSERS] < frames[:, CLOSERS] - 0.05).any()


def test_jitter_is_calmed_and_a_large_move_is_not_delayed() -> None:
    rng = np.random.default_rng(0)
    frames = np.full((300, CURVE_COUNT), 0.3, np.float32)
    frames += rng.normal(0, 0.004, frames.shape).astype(np.float32)
    output = smoothed(frames)[30:]
    brow = INDEX["browInnerUp"]
    assert np.abs(np.diff(output[:, brow])).mean() < 0.8 * np.abs(np.diff(frames[30:, brow])).mean()
    step = np.zeros((4, CURVE_COUNT), np.float32)
    step[1:, JAW] = 0.6
    assert smoothed(step)[1, JAW] > 0.59


def test_no_strength_is_no_smoothing() -> None:
    frames = np.random.default_rng(1).random((20, CURVE_COUNT)).astype(np.float32)
    np.testing.assert_allclose(smoothed(frames, strength=0.0), frames, atol=1e-6)


def test_no_curve_plays_both_parts() -> None:
    assert not set(OPENERS) & set(CLOSERS)
