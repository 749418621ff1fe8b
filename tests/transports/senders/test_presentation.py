"""The schedule in virtual time: what is shown when, however frames come."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.timebase import FrameRate
from facestream.transports.senders.presentation import LONGEST_WAIT_S, Presentation, Shown
from facestream.types import Frames, Pose
from tests.transports.senders.faces import random_frames

RATE = FrameRate(60)
PERIOD = 1 / 60
DELAY = 0.06


def part(frames: Frames, first: int, end: int) -> Frames:
    assert frames.pose is not None
    pose = frames.pose
    rows = slice(first, end)
    return Frames(
        frames.first_index + first,
        frames.weights[rows],
        Pose(pose.head[rows], pose.left_eye[rows], pose.right_eye[rows]),
    )


def play(presentation: Presentation, arrivals: list[tuple[float, Frames]], until_s: float) -> list[Shown]:
    """Everything shown, each face taken at the moment that it is due."""
    shown, waiting, now = [], list(arrivals), 0.0
    while now < until_s:
        due_s = presentation.due_s
        arrives_s = waiting[0][0] if waiting else np.inf
        now = min(np.inf if due_s is None else due_s, arrives_s)
        if now >= until_s:
            break
        if arrives_s <= now:
            presentation.add(waiting.pop(0)[1], now)
        else:
            shown.append(presentation.take())
    return shown


def bursts(frames: Frames, lengths: list[int], late_s: list[float]) -> list[tuple[float, Frames]]:
    """Runs that come when their last frame was spoken, plus some delay of their own; never before the last one."""
    arrivals, first, before = [], 0, 0.0
    for length, late in zip(lengths, late_s, strict=True):
        end = min(first + length, frames.count)
        before = max(before, end * PERIOD + late)
        arrivals.append((before, part(frames, first, end)))
        first = end
    return arrivals


def fresh(shown: list[Shown]) -> list[Shown]:
    """Without faces that are still those of the moment before, held where frames were missing."""
    return [
        one
        for one, before in zip(shown, [None, *shown], strict=False)
        if before is None or not np.array_equal(one.face.weights, before.face.weights)
    ]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 0.02)), min_size=10, max_size=40))
def test_frames_leave_at_an_even_pace_however_they_come(runs: list[tuple[int, float]]) -> None:
    frames = random_frames(sum(length for length, _ in runs), first_index=5)
    arrivals = bursts(frames, [length for length, _ in runs], [late for _, late in runs])
    presentation = Presentation(RATE, 0.1)
    shown = play(presentation, arrivals, arrivals[-1][0] + 0.05)
    assert len(shown) >= 5
    np.testing.assert_allclose(np.diff([one.due_s for one in shown]), PERIOD, atol=1e-9)
    for index, one in enumerate(shown):
        assert not one.face.is_starved
        np.testing.assert_allclose(one.face.weights, frames.weights[index], atol=1e-6)
        assert one.stream_s == pytest.approx(index * PERIOD)
    assert shown[0].due_s == pytest.approx(arrivals[0][0] + 0.1)


def test_a_plain_burst_is_not_even() -> None:
    """The control: frames sent as they come are not evenly paced."""
    frames = random_frames(60)
    arrivals = bursts(frames, [3, 2] * 12, [0.0] * 24)
    times = [at for at, run in arrivals for _ in range(run.count)]
    assert np.abs(np.diff(times) - PERIOD).max() > 0.01


def test_all_frames_are_shown_to_the_last_and_then_it_is_over() -> None:
    frames = random_frames(30)
    presentation = Presentation(RATE, DELAY)
    presentation.add(frames, 0.0)
    presentation.finish()
    shown = []
    while presentation.due_s is not None:
        shown.append(presentation.take())
    assert presentation.is_over
    np.testing.assert_allclose([one.face.weights for one in shown], frames.weights, atol=1e-6)


def test_a_stream_that_pauses_holds_rests_and_comes_back_whole() -> None:
    frames = random_frames(60)
    arrivals = [(0.0, part(frames, 0, 30)), (3.0, part(frames, 30, 60))]
    presentation = Presentation(RATE, DELAY)
    shown = play(presentation, arrivals, 10.0)
    starved = [one for one in shown if one.due_s < 2.9][30:]
    assert 0.3 < len(starved) * PERIOD < 0.5  # then nothing more is sent
    np.testing.assert_allclose(starved[0].face.weights, frames.weights[29], atol=1e-6)
    np.testing.assert_allclose(starved[-1].face.weights, 0.0, atol=1e-6)
    back = fresh([one for one in shown if one.due_s > 2.9])[:30]
    assert len(back) == 30
    assert back[0].due_s == pytest.approx(3.0 + DELAY)  # what waits covers jitter again
    # blended in within 80 ms, then the frames themselves
    np.testing.assert_allclose(back[6].face.weights, frames.weights[36], atol=1e-6)


def test_a_run_that_comes_late_moves_the_rest_and_nothing_is_skipped() -> None:
    frames = random_frames(60)
    runs = [(place * PERIOD * 5, part(frames, 5 * place, 5 * place + 5)) for place in range(12)]
    late = [(at + (0.12 if place >= 6 else 0.0), run) for place, (at, run) in enumerate(runs)]
    shown = play(Presentation(RATE, 0.02), late, 3.0)
    last = next(place for place, one in enumerate(shown) if one.stream_s > 58.5 * PERIOD)
    np.testing.assert_allclose(shown[last].face.weights, frames.weights[59], atol=1e-6)
    # 120 ms late, 20 ms of which had been waited for: six faces held, and every frame shown behind them
    assert last == pytest.approx(59 + 6, abs=1)
    steps = np.diff([one.due_s for one in shown])
    assert steps.min() > 0.0
    assert shown[last].due_s - shown[0].due_s == pytest.approx(59 * PERIOD + 0.1, abs=PERIOD)


def test_delay_that_proves_idle_is_given_back_slowly() -> None:
    frames = random_frames(60 * 30)
    first_late = [(0.25, part(frames, 0, 2))]
    rest = [(max(0.25, place * PERIOD), part(frames, place, place + 2)) for place in range(2, 60 * 30, 2)]
    shown = play(Presentation(RATE, DELAY), first_late + rest, 29.0)
    steps = np.diff([one.due_s for one in shown])
    assert steps.min() > 0.97 * PERIOD
    waits = [one.due_s - index * PERIOD for index, one in enumerate(shown)]
    assert waits[0] == pytest.approx(0.25 + DELAY)
    assert waits[-1] == pytest.approx(DELAY, abs=2 * PERIOD)


def test_a_client_far_ahead_of_real_time_does_not_fill_the_memory() -> None:
    presentation = Presentation(RATE, DELAY)
    frames = random_frames(600)
    for turn in range(5):
        presentation.add(Frames(600 * turn, frames.weights, frames.pose), 0.1 * turn)
    waiting = 0
    while presentation.due_s is not None and not presentation.take().face.is_starved:
        waiting += 1
    assert waiting <= LONGEST_WAIT_S * 60 + 1


def test_an_abandoned_face_eases_to_rest_from_where_it_is() -> None:
    frames = random_frames(30)
    presentation = Presentation(RATE, DELAY)
    presentation.add(frames, 0.0)
    for _ in range(10):
        presentation.take()
    presentation.abandon()
    presentation.add(frames, 1.0)
    shown = []
    while presentation.due_s is not None:
        shown.append(presentation.take())
    assert presentation.is_over
    weights = np.array([one.face.weights for one in shown])
    np.testing.assert_allclose(weights[0], frames.weights[9], atol=1e-6)
    np.testing.assert_allclose(weights[-1], 0.0, atol=1e-6)
    assert np.all(np.diff(weights, axis=0) <= 1e-6)
    assert 0.3 < len(shown) * PERIOD < 0.45


def test_a_stream_without_frames_is_over_at_once() -> None:
    for end in (Presentation.finish, Presentation.abandon):
        presentation = Presentation(RATE, DELAY)
        assert presentation.due_s is None
        end(presentation)
        assert presentation.is_over
