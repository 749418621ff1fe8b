import numpy as np

from facestream.curves import CURVE_COUNT, INDEX
from facestream.polish import chain
from facestream.polish.options import ControlChange, PolishOptions
from facestream.types import Float32

JAW, BROW = INDEX["jawOpen"], INDEX["browInnerUp"]
FRAME_S = 1 / 30


def rows(options: PolishOptions, seed: int = 1) -> chain.Rows:
    state = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in chain.POLISH_COLUMNS.items()}
    for name, value in chain.fresh_row(seed, options, 0.0).items():
        state[name][0] = value
    return state


def settled(frames: Float32, state: chain.Rows, silence: float = 0.0) -> tuple[Float32, Float32]:
    count = len(frames)
    heard = np.full((1, count), silence, np.float32)
    settings = np.repeat(state[chain.SETTINGS][:, None], count, axis=1)
    return chain.settle(
        frames[None], heard, np.zeros_like(heard), settings, np.array([FRAME_S]), np.array([count]), state
    )


def polished(frames: Float32, state: chain.Rows, silence: float = 0.0, presence: float = 1.0) -> Float32:
    count = len(frames)
    weights, _ = chain.finish(
        *settled(frames, state, silence),
        np.arange(count)[None] * FRAME_S,
        np.full((1, count), presence, np.float32),
        state,
    )
    return weights[0]


def open_mouth(count: int, jaw: float = 0.4) -> Float32:
    frames = np.zeros((count, CURVE_COUNT), np.float32)
    frames[:, [JAW, BROW]] = jaw
    return frames


def test_strength_scales_the_mouth_and_nothing_else() -> None:
    for strength in (0.0, 0.5, 2.0):
        frames = polished(open_mouth(20), rows(PolishOptions(mouth_strength=strength)))
        np.testing.assert_allclose(frames[-1, [JAW, BROW]], [0.4 * strength, 0.4], atol=1e-3)


def test_switched_off_layers_leave_the_eyes_alone() -> None:
    eyes = [column for name, column in INDEX.items() if name.startswith(("eyeBlink", "eyeLook"))]
    still = polished(open_mouth(300), rows(PolishOptions(blinks=False, gaze=False)))
    assert (still[:, eyes] == 0).all()
    assert polished(open_mouth(300), rows(PolishOptions()))[:, eyes].max() > 0.8


def test_eyes_never_jump_when_the_layers_are_switched() -> None:
    state = rows(PolishOptions(gaze=False))
    lid = INDEX["eyeBlinkLeft"]
    whole = polished(open_mouth(600), state)[:, lid]
    shut_at = int(np.argmax(whole > 0.8))
    state = rows(PolishOptions(gaze=False))
    before = polished(open_mouth(shut_at + 1), state)
    chain.apply_change(state[chain.SETTINGS][0], ControlChange(blinks=False))
    _, shown = settled(open_mouth(10), state)
    assert before[-1, lid] > 0.8
    assert shown[0, 0, 0] > 0.7
    assert shown[0, -1, 0] == 0


def test_no_face_is_left_at_the_end_of_presence() -> None:
    assert (polished(open_mouth(50), rows(PolishOptions()), presence=0.0) == 0).all()


def test_a_network_that_mumbles_in_silence_is_hushed_and_can_be_let() -> None:
    mumble = open_mouth(60, jaw=0.05)
    assert polished(mumble, rows(PolishOptions()), silence=1.0)[-1, JAW] == 0
    assert polished(mumble, rows(PolishOptions(ease_to_rest=False)), silence=1.0)[-1, JAW] > 0.04
    assert polished(mumble, rows(PolishOptions()), silence=0.3)[-1, JAW] > 0.04
