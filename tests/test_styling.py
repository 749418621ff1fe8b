from dataclasses import replace

import numpy as np
import pytest

from facestream.acting import Abilities, Acting, ActingChange, Emotion
from facestream.errors import InvalidValue
from facestream.style import Style, StyleSpace
from facestream.styling import DISTILLED, NO_STYLE, Distilled, StyleAbilities, StyleBlend, Styling, StylingChange

SPACE = StyleSpace("tiny", "ab" * 32, 4, (1.0, 3.0))
CALM, LIVELY = (Style(np.eye(4, dtype=np.float32)[place] * 2, "tiny", SPACE.digest) for place in range(2))
STYLES = StyleAbilities(
    SPACE, {"calm": CALM, "lively": LIVELY}, False, ("ddim", "ddpm"), 500, "ddim", 12, 8, 1.15, 6.0
)  # fmt: skip
ABILITIES = Abilities(0, {}, (), 2560, STYLES)
EMOTIONS = Abilities(4, {}, ("one",), 2560)


def test_a_hop_has_time_for_fewer_steps_than_a_recording():
    for styling, steps in ((Styling(), (8, 12)), (Styling(steps=5), (5, 5))):
        assert tuple(STYLES.sampling(styling, is_clip=is_clip).steps for is_clip in (False, True)) == steps


@pytest.mark.parametrize(
    ("styling", "expected"),
    [
        (Styling(steps=2), (DISTILLED, 1.0)),
        (Styling(steps=2, audio_scale=1.1), (DISTILLED, 1.1)),
        (Styling(steps=2, audio_scale=1.15), ("ddim", 1.15)),
        (Styling(sampler=DISTILLED), (DISTILLED, 1.0)),
        (Styling(), ("ddim", 1.15)),
        (Styling(steps=2, sampler="ddim"), ("ddim", 1.15)),
        (Styling(steps=2, guidance="independent"), ("ddim", 1.15)),
        (Styling(steps=2, audio_scale=1.0, guidance="independent"), ("ddim", 1.0)),
    ],
)
def test_each_network_takes_the_audio_scale_that_is_its_own(styling, expected):
    styles = replace(STYLES, distilled=Distilled(4, (1.0, 1.1), (0.0, 6.0), 1.0), samplers=("ddim", "ddpm", DISTILLED))
    for is_clip in (False, True):
        found = styles.sampling(styles.resolved(styling), is_clip=is_clip)
        assert (found.sampler, found.audio_scale) == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"strength": -0.1}, "styling.strength: got -0.1; allowed: a number from 0 to 2"),
        ({"strength": float("nan")}, "styling.strength: got nan"),
        ({"head_amount": 2.1}, "styling.head_amount: got 2.1; allowed: a number from 0 to 2"),
        ({"audio_scale": 11}, "styling.audio_scale: got 11; allowed: a number from 0 to 10"),
        ({"style_scale": float("inf")}, "styling.style_scale: got inf"),
        ({"guidance": "both"}, "styling.guidance: got 'both'; allowed: incremental or independent"),
    ],
)
def test_values_out_of_range_are_refused(values, said):
    with pytest.raises(InvalidValue, match=said):
        StylingChange(**values)


@pytest.mark.parametrize(
    ("styling", "said"),
    [
        (Styling(style="loud"), "styling.name: got 'loud'; allowed: calm, lively"),
        (Styling(style=Style(CALM.vector, "tiny", "cd")), "a style of tiny cd; allowed: styles of tiny abab"),
        (Styling(steps=0), "styling.steps: got 0; allowed: 1 to 500"),
        (Styling(steps=501), "styling.steps: got 501; allowed: 1 to 500"),
        (Styling(sampler="euler"), "styling.sampler: got 'euler'; allowed: one of ddim, ddpm"),
        (Styling(head_amount=0.5), "styling.head_amount: got 0.5; allowed: nothing"),
        (Styling(strength=1.9), "styling.strength: got 1.9; allowed: 0 to 1.67 with a style_scale of 6"),
        (Styling(style=StyleBlend("calm", "loud", 0.5)), "styling.name: got 'loud'"),
    ],
)
def test_what_a_model_lacks_is_refused(styling, said):
    with pytest.raises(InvalidValue, match=said):
        ABILITIES.resolved(Acting(styling=styling))


def test_names_and_blends_become_vectors():
    def style(choice):
        return ABILITIES.resolved(Acting(styling=Styling(style=choice))).styling.style

    assert style("calm") is CALM
    assert style(NO_STYLE) == NO_STYLE
    mixed = style(StyleBlend("calm", LIVELY, 0.5))
    np.testing.assert_allclose(mixed.vector, np.sqrt(2) * np.array([1, 1, 0, 0]), atol=1e-6)
    with pytest.raises(InvalidValue, match=r"styling\.blend\.share: got 1\.5"):
        StyleBlend("calm", "lively", 1.5)


def test_emotions_and_styles_keep_to_their_models():
    vector = Emotion(np.ones(4, np.float32))
    for acting in (Acting(emotion=vector), Acting(speaker="one"), Acting(spread=1.0)):
        with pytest.raises(InvalidValue, match=r"acting: got an emotion.*this model has styles, no emotions"):
            ABILITIES.resolved(acting)
    with pytest.raises(InvalidValue, match="styling: got a value; allowed: nothing: this model has no styles"):
        EMOTIONS.resolved(Acting(styling=Styling(style="calm")))
    assert EMOTIONS.resolved(Acting(emotion=vector)).emotion is vector


def test_a_change_keeps_what_it_does_not_name():
    before = Acting(styling=Styling(style="calm", strength=0.5, steps=4))
    after = before.changed(ActingChange(styling=StylingChange(head_amount=0.0, strength=0.0)))
    assert after.styling == Styling(style="calm", strength=0.0, head_amount=0.0, steps=4)
    assert before.changed(ActingChange(styling=StylingChange(style=NO_STYLE))).styling.style == NO_STYLE
    assert ActingChange(styling=StylingChange()).is_empty
    assert not ActingChange(styling=StylingChange(strength=1.0)).is_empty
