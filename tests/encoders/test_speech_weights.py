import pytest
import torch

from facestream.errors import BundleError
from facestream_models.encoders.speech_transformer import SpeechTransformer
from facestream_models.encoders.speech_weights import (
    SPEECH_TRANSFORMER,
    Rule,
    load_whole,
    regular_names,
    renamed,
    under,
)
from tests.encoders.test_speech_transformer import SMALL


def published(network, spelling):
    """The network's own weights under the names a hub would give them."""
    state = network.state_dict()
    names = {"mask_embedding": "masked_spec_embed", "norm": "encoder.layer_norm"}
    names |= {"feature_norm": "feature_projection.layer_norm", "project": "feature_projection.projection"}
    names |= {"clip_norm": "feature_extractor.conv_layers.0.layer_norm"}
    names |= {"position.bias": "encoder.pos_conv_embed.conv.bias"}
    parts = {"attention.out": "attention.out_proj", "attention_norm": "layer_norm", "output_norm": "final_layer_norm"}
    parts |= {"widen": "feed_forward.intermediate_dense", "narrow": "feed_forward.output_dense"}
    found = {}
    for name, value in state.items():
        stem, _, kind = name.rpartition(".")
        if name == "position.weight":
            gain = value.norm(dim=(0, 1), keepdim=True)
            direction = value * torch.rand(1, 1, value.shape[2]).add(0.5)  # its length is of no account
            found |= {f"encoder.pos_conv_embed.conv.{key}": tensor for key, tensor in
                      zip(spelling, (gain, direction), strict=True)}  # fmt: skip
        elif stem.startswith("convolutions"):
            found[f"feature_extractor.conv_layers.{stem.split('.')[1]}.conv.{kind}"] = value
        elif stem.startswith("layers"):
            _, number, part = stem.split(".", 2)
            if part == "attention.qkv":
                for letter, third in zip("qkv", value.chunk(3), strict=True):
                    found[f"encoder.layers.{number}.attention.{letter}_proj.{kind}"] = third
            else:
                found[f"encoder.layers.{number}.{parts[part]}.{kind}"] = value
        else:
            found[names.get(name) or f"{names[stem]}.{kind}"] = value
    return found


OLD = ("weight_g", "weight_v")
NEW = ("parametrizations.weight.original0", "parametrizations.weight.original1")


def load(state):
    network = SpeechTransformer(SMALL).eval()
    load_whole(network, renamed(regular_names(state, "hub.bin"), SPEECH_TRANSFORMER, "hub.bin").tensors, "hub.bin")
    return network


@pytest.mark.parametrize("spelling", [OLD, NEW], ids=["old", "new"])
def test_published_names_fill_the_network(spelling):
    torch.manual_seed(1)
    network = SpeechTransformer(SMALL).eval()
    loaded = load(published(network, spelling))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, atol=1e-6, rtol=1e-5)


def test_weight_norm_is_folded_as_torch_applies_it():
    torch.manual_seed(2)
    layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(8, 8, 5, groups=2), dim=2)
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(1.7)
        layer.parametrizations.weight.original1.add_(0.2)
    folded = regular_names(layer.state_dict(), "layer")
    torch.testing.assert_close(folded["weight"], layer.weight.detach())


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("feature_projection.projection.bias", "found nothing for project.bias"),
        ("encoder.layers.1.attention.v_proj.weight", "found no encoder.layers.1.attention.v_proj.weight"),
        ("encoder.pos_conv_embed.conv.weight_v", "found no encoder.pos_conv_embed.conv.weight_v"),
    ],
)
def test_a_missing_key_is_named(key, said):
    state = published(SpeechTransformer(SMALL), OLD)
    del state[key]
    with pytest.raises(BundleError, match=f"hub.bin: {said}"):
        load(state)


def test_an_unknown_key_and_a_wrong_shape_are_named():
    state = published(SpeechTransformer(SMALL), OLD)
    with pytest.raises(BundleError, match=r"found lm_head\.weight"):
        load(state | {"lm_head.weight": torch.zeros(2)})
    state["masked_spec_embed"] = torch.zeros(7)
    with pytest.raises(BundleError, match=r"mask_embedding with shape \[7\]; expected \[32\]"):
        load(state)


def test_dropped_keys_are_counted_with_their_reason():
    rules = [Rule(r"kept", "mine"), Rule(r"old\.\d", None, "unused")]
    found = renamed(
        {"a.kept": torch.ones(1), "a.old.1": torch.ones(1), "a.old.2": torch.ones(1)}, under("a.", rules), ""
    )
    assert list(found.tensors) == ["mine"]
    assert found.dropped == {"unused": 2}
