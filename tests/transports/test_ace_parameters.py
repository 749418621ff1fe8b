"""What a client's parameters do to a face: exact arithmetic on the weights that the same clip has without them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import CURVE_COUNT
from facestream.nvidia_ace.a2f.v1.a2f_pb2 import BlendShapeParameters, FaceParameters
from facestream.transports.ace_parameters import FaceWishes, Shaping, face_wishes_of
from facestream.types import Float32
from tests.transports.ace_client import BLEND_SHAPES, INFO, ask, whole
from tests.transports.ace_tables import message
from tests.transports.loopback import loopback, speech

SAMPLES = (speech(1.0) * 32767).astype(np.int16)
JAW, BLINK, BROW, WIDE, TONGUE = (
    BLEND_SHAPES.index(name) for name in ("JawOpen", "EyeBlinkLeft", "BrowInnerUp", "EyeWideLeft", "TongueOut")
)
_SCALES = st.dictionaries(st.sampled_from(BLEND_SHAPES), st.floats(-3, 3, width=32), max_size=20)


def wishes(float_params: dict[str, float] | None = None, **blendshapes: object) -> FaceWishes:
    return face_wishes_of(FaceParameters(float_params=float_params or {}), BlendShapeParameters(**blendshapes))


def faces() -> Float32:
    return np.random.default_rng(5).random((6, CURVE_COUNT), np.float32)


@pytest.mark.asyncio
@pytest.mark.parametrize("clamps", [None, False, True])
async def test_multipliers_offsets_and_clamp_on_recorded_weights(clamps: bool | None) -> None:
    names = dict.fromkeys(BLEND_SHAPES, 1.0) | {"JawOpen": -1.5, "EyeBlinkLeft": 2.5, "TongueTipUp": 1.0}
    parameters = message(
        "a2f.v1.BlendShapeParameters",
        bs_weight_multipliers=names,
        bs_weight_offsets={"JawOpen": 0.25, "BrowInnerUp": 0.5, "MouthLeft": 3.0},
        enable_clamping_bs_weight=clamps,
    )
    async with loopback() as server:
        plain = await ask(server.channel, whole(SAMPLES))
        shaped = await ask(server.channel, whole(SAMPLES, blendshape_params=parameters))
    expected = plain.weights.astype(np.float64)
    expected[:, JAW] = expected[:, JAW] * -1.5 + 0.25
    expected[:, BLINK] *= 2.5
    expected[:, BROW] += 0.5
    expected[:, BLEND_SHAPES.index("MouthLeft")] += 3.0
    assert expected.min() < 0
    assert expected.max() > 1
    if clamps:
        expected = expected.clip(0, 1)
    np.testing.assert_allclose(shaped.weights, expected, atol=1e-6)
    assert not shaped.statuses(INFO)


@pytest.mark.asyncio
async def test_strength_of_the_lower_face_and_the_audio_reach_the_model() -> None:
    def parameters(**values: float) -> object:
        return message("a2f.v1.FaceParameters", float_params=values)

    async with loopback() as server:
        plain = await ask(server.channel, whole(SAMPLES))
        still = await ask(server.channel, whole(SAMPLES, face_params=parameters(lowerFaceStrength=0.0)))
        quiet = await ask(server.channel, whole(SAMPLES, face_params=parameters(inputStrength=0.25)))
        awake = await ask(server.channel, whole(SAMPLES, face_params=parameters(blinkStrength=0.0)))
    assert plain.weights[:, JAW].max() > 0.1
    assert not still.weights[:, JAW].any()
    assert 0 < quiet.weights[:, JAW].max() < 0.5 * plain.weights[:, JAW].max()
    np.testing.assert_array_equal(quiet.echo, SAMPLES)
    assert not awake.weights[:, BLINK].any()


@settings(max_examples=25)
@given(_SCALES, _SCALES, st.booleans())
def test_any_map_gives_weight_times_multiplier_plus_offset(
    multipliers: dict[str, float], offsets: dict[str, float], clamps: bool
) -> None:
    found = wishes(None, bs_weight_multipliers=multipliers, bs_weight_offsets=offsets, enable_clamping_bs_weight=clamps)
    weights = faces()
    expected = weights.astype(np.float64)
    for place, name in enumerate(BLEND_SHAPES):
        expected[:, place] = expected[:, place] * multipliers.get(name, 1.0) + offsets.get(name, 0.0)
    np.testing.assert_allclose(
        found.shaping.apply(weights), expected.clip(0, 1) if clamps else expected, rtol=1e-6, atol=1e-6
    )
    assert not found.remarks


def test_nothing_asked_changes_nothing() -> None:
    weights = faces()
    np.testing.assert_array_equal(Shaping().apply(weights), weights)
    found = wishes()
    np.testing.assert_array_equal(found.shaping.apply(weights), weights)
    assert (found.polish.mouth_strength, found.polish.blinks, found.input_gain, found.remarks) == (1.0, True, 1.0, ())


def test_strengths_scale_their_part_of_the_face() -> None:
    weights = 0.4 * faces()
    shaped = wishes({"upperFaceStrength": 1.5, "tongueStrength": 0.5, "blinkStrength": 2.0}).shaping.apply(weights)
    np.testing.assert_allclose(shaped[:, BROW], 1.5 * weights[:, BROW], rtol=1e-6)
    np.testing.assert_allclose(shaped[:, TONGUE], 0.5 * weights[:, TONGUE], rtol=1e-6)
    np.testing.assert_allclose(shaped[:, BLINK], 2.0 * weights[:, BLINK], rtol=1e-6)
    np.testing.assert_array_equal(shaped[:, JAW], weights[:, JAW])
    assert wishes({"skinStrength": 1.2, "lowerFaceStrength": 1.25}).polish.mouth_strength == pytest.approx(1.5)
    assert wishes({"skinStrength": 2.0, "lowerFaceStrength": 2.0}).polish.mouth_strength == 2.0
    assert wishes({"upperFaceStrength": 2.0}).shaping.apply(np.ones((1, CURVE_COUNT), np.float32)).max() == 1.0


def test_the_lids_rest_more_open_or_more_shut() -> None:
    weights = 0.5 * faces()
    shut = wishes({"eyelidOpenOffset": -0.4}).shaping.apply(weights)
    np.testing.assert_allclose(shut[:, BLINK], weights[:, BLINK] + 0.4 * (1 - weights[:, BLINK]), rtol=1e-5)
    np.testing.assert_array_equal(shut[:, WIDE], weights[:, WIDE])
    opened = wishes({"eyelidOpenOffset": 0.4}).shaping.apply(weights)
    np.testing.assert_allclose(opened[:, WIDE], weights[:, WIDE] + 0.4 * (1 - weights[:, WIDE]), rtol=1e-5)
    assert wishes({"eyelidOpenOffset": -1.0}).shaping.apply(weights)[:, BLINK].min() == 1.0


def test_what_the_sample_client_sends_is_told_in_one_short_line() -> None:
    sample = {
        "upperFaceStrength": 1.0, "upperFaceSmoothing": 0.001, "lowerFaceStrength": 1.25, "lowerFaceSmoothing": 0.006,
        "faceMaskLevel": 0.6, "faceMaskSoftness": 0.0085, "skinStrength": 1.0, "eyelidOpenOffset": 0.0,
        "lipOpenOffset": 0.0, "tongueStrength": 1.3, "tongueHeightOffset": 0.0, "tongueDepthOffset": 0.0,
    }  # fmt: skip
    assert wishes(sample).remarks == (
        "not used: upperFaceSmoothing, lowerFaceSmoothing, faceMaskLevel, faceMaskSoftness",
    )


def test_a_thousand_unknown_names_are_still_one_short_line() -> None:
    (remark,) = wishes({f"unknown-{number}-" + "x" * 200: 1.0 for number in range(1000)}).remarks
    assert "and 988 more" in remark
    assert len(remark) < 800
