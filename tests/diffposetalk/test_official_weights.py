import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.errors import BundleError
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.official_weights import (
    official_model,
    official_shape,
    official_style_encoder,
    renamed_model,
    renamed_style,
)
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.speech import SpeechFeatures
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.encoders.speech_weights import load_whole
from tests.diffposetalk.released import PlainDenoiser
from tests.diffposetalk.released import StyleEncoder as ReleasedStyleEncoder
from tests.diffposetalk.tiny import SPEECH, released

KEYS = json.loads((Path(__file__).parent / "data" / "official_keys.json").read_text())
DERIVED = 12_210 + 501 * 512 + 5 * 501
FOLDED = 128  # gains of the positional convolution, which ours has multiplied in


def published(module, device="meta"):
    return {key: torch.empty(size, device=device) for key, size in KEYS[module].items()}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("module", "head_rotation", "total", "denoiser", "vectors"),
    [
        ("diff_talking_head_head", True, 129_277_266, 34_505_526, 6_300),
        ("diff_talking_head_nohead", False, 129_274_929, 34_503_219, 6_270),
    ],
)
def test_every_key_of_a_released_denoiser_has_its_place(module, head_rotation, total, denoiser, vectors):
    tensors = published(module)
    assert sum(tensor.numel() for tensor in tensors.values()) == total + DERIVED
    shape = official_shape(tensors, module)
    assert shape == DenoiserShape(head_rotation=head_rotation)
    with torch.device("meta"):
        model = DiffPoseTalk(shape, SpeechFeatures(shape.width))
    found = renamed_model(tensors, module)
    load_whole(model, found.tensors, module)
    assert found.dropped == {"follows from the model": 7}
    assert count(model) == total - FOLDED
    assert count(model.denoiser) == denoiser
    assert count(model.denoiser.layers) == 33_632_256
    assert count(model.speech.encoder) == 94_371_712 - FOLDED
    assert count(model.speech.map) == 393_728
    assert sum(getattr(model, name).numel() for name in vectors_of(model)) == vectors


def vectors_of(model):
    return [name for name, _ in model.named_parameters(recurse=False)]


def test_what_training_changes_has_the_published_size():
    with torch.device("meta"):
        speech = SpeechFeatures(512)
    speech.freeze_lower()
    trained = sum(parameter.numel() for parameter in speech.encoder.parameters() if parameter.requires_grad)
    assert trained == 75_600_512 - FOLDED


@pytest.mark.parametrize(("suffix", "head_rotation", "total"), [("head", True, 800_128), ("nohead", False, 799_744)])
def test_every_key_of_a_released_style_encoder_has_its_place(suffix, head_rotation, total):
    with torch.device("meta"):
        encoder = StyleEncoder(DenoiserShape(head_rotation=head_rotation), legacy_positions=True)
    found = renamed_style(published(f"style_encoder_{suffix}"), suffix)
    load_whole(encoder, found.tensors, suffix)
    assert not found.dropped
    assert count(encoder) == total


@pytest.mark.parametrize(("module", "motion"), [("diff_talking_head_head", 54), ("diff_talking_head_nohead", 51)])
def test_the_reference_of_the_tests_has_the_released_names(module, motion):
    # Else agreement with it would say little about the released checkpoints.
    with torch.device("meta"):
        reference = PlainDenoiser(motion)
        style = ReleasedStyleEncoder(motion)
    ours = {name: list(tensor.shape) for name, tensor in reference.state_dict().items()}
    assert ours == {key: size for key, size in KEYS[module].items() if not key.startswith("audio_encoder.")}
    sizes = {name: list(tensor.shape) for name, tensor in style.state_dict().items()}
    assert sizes == KEYS[module.replace("diff_talking_head", "style_encoder")]


def test_both_spellings_of_weight_norm_give_one_model():
    state = released()[1]
    other = {
        key.replace("conv.weight_g", "conv.parametrizations.weight.original0").replace(
            "conv.weight_v", "conv.parametrizations.weight.original1"
        ): tensor
        for key, tensor in state.items()
    }
    assert other.keys() != state.keys()
    for a, b in zip(
        official_model(state, "a", SPEECH).parameters(), official_model(other, "b", SPEECH).parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_the_folded_kernel_has_the_stored_gain_in_each_tap():
    state = released()[1]
    stem = "audio_encoder.encoder.pos_conv_embed.conv"
    weight = official_model(state, "tiny", SPEECH).speech.encoder.position.weight
    torch.testing.assert_close(weight.norm(dim=(0, 1)), state[f"{stem}.weight_g"].abs().flatten())


# One buffer is enough to know the schedule; the table of steps follows from it.
NEEDED = [
    key
    for key in released()[1]
    if key not in {f"diffusion_sched.{name}" for name in ("alphas", "alpha_bars", "sigmas_flex", "sigmas_inflex")}
    and key != "denoising_net.TE.pe"
]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NEEDED))
def test_any_lost_key_is_an_error(key):
    state = {k: v for k, v in released()[1].items() if k != key}
    with pytest.raises(BundleError, match="checkpoint: "):
        official_model(state, "checkpoint", SPEECH)


def changed(key, change):
    state = dict(released()[1])
    state[key] = change(state[key])
    return state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (released()[1] | {"denoising_net.extra": torch.zeros(1)}, "found denoising_net.extra"),
        (changed("denoising_net.alignment_mask", torch.zeros_like), "alignment mask"),
        (changed("diffusion_sched.betas", lambda b: torch.linspace(0, 0.02, len(b))), "noise schedule"),
        (changed("diffusion_sched.betas", lambda b: b[:101]), "noise schedule"),
        (changed("denoising_net.feature_proj.weight", lambda w: w[:, 1:]), "0 indicator channels"),
        (changed("denoising_net.motion_dec.2.weight", lambda w: w[:53]), "53 motion components"),
        (changed("null_audio_feat", lambda w: w[..., 1:]), "null_audio with shape"),
    ],
)
def test_another_model_is_refused(state, message):
    with pytest.raises(BundleError, match=message):
        official_model(state, "checkpoint", SPEECH)


def test_a_style_encoder_of_another_motion_is_refused():
    state = ReleasedStyleEncoder(60).state_dict()
    with pytest.raises(BundleError, match="60 motion components"):
        official_style_encoder(state, "style")


@pytest.mark.slow
def test_a_checkpoint_of_full_size_loads():
    reference = PlainDenoiser(54)
    state = reference.state_dict()
    for key, size in KEYS["diff_talking_head_head"].items():
        if key.startswith("audio_encoder."):
            state[key] = torch.randn(size) / math.sqrt(max(size))
    model = official_model(state, "full")
    with torch.no_grad():
        features = model.speech(torch.randn(1, 64_000))
    assert features.shape == (1, 100, 512)
    assert bool(torch.isfinite(features).all())
