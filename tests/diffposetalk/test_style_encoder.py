import math

import pytest
import torch

from facestream.errors import InvalidValue
from facestream_models.diffposetalk.contrast import nt_xent
from facestream_models.diffposetalk.official_weights import official_style_encoder
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.style_encoder import StyleEncoder, check_style
from facestream_models.encoders.speech_attention import sinusoids
from tests.diffposetalk import released

G = torch.Generator().manual_seed(3)
MOTION = torch.randn(2, 100, 54, generator=G)


def encoder(*, legacy_positions):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return StyleEncoder(DenoiserShape(), legacy_positions=legacy_positions).eval()


@pytest.mark.parametrize("motion", [54, 51])
@torch.no_grad()
def test_our_layers_say_what_torchs_own_layers_say(motion):
    with torch.random.fork_rng():
        torch.manual_seed(motion)
        reference = released.unlike(released.StyleEncoder(motion))
    ours = official_style_encoder(reference.state_dict(), "style")
    given = MOTION[..., :motion]
    torch.testing.assert_close(ours(given), reference(given), atol=1e-5, rtol=0.0)


@torch.no_grad()
def test_the_released_encoder_does_not_know_the_order_of_frames():
    order = torch.randperm(100, generator=G)
    legacy, corrected = encoder(legacy_positions=True), encoder(legacy_positions=False)
    torch.testing.assert_close(legacy(MOTION[:, order]), legacy(MOTION), atol=1e-5, rtol=0.0)
    assert (corrected(MOTION[:, order]) - corrected(MOTION)).abs().max() > 1e-3


@torch.no_grad()
def test_a_style_is_about_as_long_as_the_released_ones():
    styles = encoder(legacy_positions=True)(MOTION)
    assert styles.shape == (2, 128)
    assert bool(((styles.norm(dim=1) > 9) & (styles.norm(dim=1) < 13)).all())
    check_style(styles, 128)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (torch.full((128,), 8.9 / math.sqrt(128)), "norm 8.9; allowed: 9 to 13"),
        (torch.full((2, 128), 13.1 / math.sqrt(128)), "norm 13.1, 13.1"),
        (torch.full((128,), torch.nan), "norm nan"),
        (torch.full((64,), 1.4), "64 components; allowed: 128"),
    ],
)
def test_what_is_no_style_of_this_model_is_refused(style, message):
    with pytest.raises(InvalidValue, match=message):
        check_style(style, 128)


def test_a_style_needs_four_seconds():
    with pytest.raises(InvalidValue, match="99 frames"):
        encoder(legacy_positions=True)(MOTION[:, :99])


def test_sinusoids_agree_with_their_formula():
    torch.testing.assert_close(sinusoids(101, 128), released.table(101, 128), atol=1e-5, rtol=0.0)


def by_the_formula(first, second, temperature):
    styles = [s / s.norm() for s in [*first, *second]]
    count = len(first)
    total = 0.0
    for i, anchor in enumerate(styles):
        others = sum(math.exp(anchor @ s / temperature) for k, s in enumerate(styles) if k != i)
        total -= math.log(math.exp(anchor @ styles[(i + count) % len(styles)] / temperature) / others)
    return total / len(styles)


@pytest.mark.parametrize("rows", [2, 5])
def test_the_contrastive_loss_agrees_with_its_formula(rows):
    first, second = torch.randn(2, rows, 16, dtype=torch.float64, generator=G)
    assert float(nt_xent(first, second)) == pytest.approx(by_the_formula(first, second, 0.1))
    assert float(nt_xent(first, second, 0.5)) == pytest.approx(by_the_formula(first, second, 0.5))
    assert float(nt_xent(first, second.roll(1, 0))) != pytest.approx(by_the_formula(first, second, 0.1))


def test_persons_told_apart_lose_nothing():
    styles = 11.0 * torch.eye(32)
    assert float(nt_xent(styles, styles)) < 0.005
    assert float(nt_xent(styles, styles.roll(1, 0))) > 5.0


@torch.no_grad()
def test_every_vector_is_compared_with_all_others():
    # 62 strangers a person at a batch of 32: equal styles are guessed with one chance in 63.
    assert float(nt_xent(torch.ones(32, 8), torch.ones(32, 8))) == pytest.approx(math.log(63), abs=1e-5)
