import pytest
import torch

from facestream_models.encoders.speech_attention import PostNormLayer, alibi_slopes, distance_bias
from facestream_models.encoders.speech_weights import TORCH_LAYER, load_whole, regular_names, renamed


def same_layer(activation):
    """A layer of torch and one of ours with the same weights."""
    torch.manual_seed(3)
    theirs = torch.nn.TransformerEncoderLayer(32, 4, 48, dropout=0.0, activation=activation, batch_first=True)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    published = {f"layer.{name}": value for name, value in theirs.state_dict().items()}
    ours = PostNormLayer(32, 4, 48, activation)
    rules = [rule._replace(name=rule.name.removeprefix(".")) for rule in TORCH_LAYER.rules("layer", "")]
    load_whole(ours, renamed(regular_names(published, "torch"), rules, "torch").tensors, "torch")
    return theirs.train(), ours


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_layer_is_torchs_layer_with_an_additive_mask(activation):
    theirs, ours = same_layer(activation)
    x = torch.randn(2, 11, 32)
    bias = distance_bias(11, 4, x)
    expected = theirs(x, src_mask=bias.repeat(2, 1, 1))
    torch.testing.assert_close(ours.train()(x, bias), expected, atol=1e-5, rtol=0)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x, bias), expected, atol=1e-5, rtol=0)
        masked = ours(x, torch.zeros_like(bias).masked_fill(bias != 0, -torch.inf))
    assert (masked - expected).abs().max() > 0.1, "a bias made boolean must not pass for an additive one"


def test_slopes_are_powers_of_two_and_twelve_heads_interleave_the_next():
    assert alibi_slopes(8) == [2.0**-n for n in range(1, 9)]
    assert alibi_slopes(12) == [2.0**-n for n in range(1, 9)] + [2.0 ** -(n + 0.5) for n in range(4)]


def test_distance_counts_whole_periods():
    bias = distance_bias(60, 8, torch.zeros(()), period=25)
    assert bias.shape == (8, 60, 60)
    assert torch.equal(bias, bias.transpose(1, 2))
    assert bias[0, 0, [0, 24, 25, 49, 50]].tolist() == [0, 0, -0.5, -0.5, -1]
    assert bias[7, 3, 28] == -(2.0**-8)
