import pickle

import pytest
import torch

from facestream.errors import BundleError, InvalidValue
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.motion_prior import MotionPrior
from facestream_models.deeptalk.official_weights import (
    DEEPTALK,
    EMOTION_EMBEDDING,
    FRAME_EMOTION,
    MOTION_PRIOR,
    fill,
    load_frame_emotion,
    load_motion_prior,
    read_checkpoint,
)
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.encoders.emotion2vec import Emotion2Vec
from facestream_models.encoders.speech_weights import regular_names, renamed
from tests.deeptalk.golden import KEYS

CASES = {
    "FER": (FRAME_EMOTION, FrameEmotion),
    "TH-VQVAE": (MOTION_PRIOR, MotionPrior),
    "DEE": (EMOTION_EMBEDDING, lambda: EmotionEmbedding(Emotion2Vec())),
    "DEEPTalk": (DEEPTALK, DeepTalk),
}


def shapes_only(module):
    """The released file's keys and shapes, without memory."""
    return {key: torch.empty(shape, device="meta") for key, shape in KEYS[module].items()}


def built(module):
    with torch.device("meta"):
        return CASES[module][1]()


@pytest.mark.parametrize("module", CASES)
def test_every_key_and_shape_of_the_released_files_has_its_place(module):
    found = renamed(regular_names(shapes_only(module), module), CASES[module][0].rules, module)
    wanted = built(module).state_dict()
    assert set(found.tensors) == set(wanted)
    for name, tensor in found.tensors.items():
        assert tensor.numel() == wanted[name].numel(), name
        assert tensor.shape == wanted[name].shape or name.endswith("distance_strength"), name


@pytest.mark.parametrize(
    ("module", "dropped"),
    [("FER", 0), ("TH-VQVAE", 2), ("DEE", 10 + 6 * 12 + 2), ("DEEPTalk", 2 + 2 + 300 + 10 + 3 * 12 + 1 + 157 + 2)],
)
def test_what_is_dropped_is_counted(module, dropped):
    found = renamed(regular_names(shapes_only(module), module), CASES[module][0].rules, module)
    assert sum(found.dropped.values()) == dropped
    assert all(found.dropped)


def numbers(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameter_counts_are_those_of_the_paper_size():
    """Section 5.1; weight norm is folded here, which spends 128 numbers less than the published form."""
    system = built("DEEPTalk")
    assert numbers(system.content) == 94_371_712 - 128
    assert numbers(system.generator.content) == 98_432
    assert numbers(system.emotion) == 132_611_148 - 619_776 - 16_541_952
    assert numbers(system.generator.top) == 2_571_776
    assert numbers(system.generator.bottom) == 2_539_008
    generator = numbers(system.generator) - numbers(system.generator.top) - numbers(system.generator.bottom)
    assert generator - 98_432 == 465_792
    prior = system.prior
    parts = {
        "bottom_encoder": 183_296,
        "top_encoder": 231_296,
        "top_decoder": 231_296,
        "up_sample": 65_664,
    }
    assert {name: numbers(getattr(prior, name)) for name in parts} == parts
    assert numbers(prior.bottom_decoder) + numbers(prior.leave) == 2_122_933 - (384 * 384 + 384)
    assert prior.top_codebook.vectors.numel() == 32_768
    assert prior.bottom_codebook.vectors.numel() == 65_536
    assert numbers(built("DEE").expression) == 34_899_008 - 3 * 3_152_384
    assert numbers(built("FER")) == 1_374_024


def small(module):
    torch.manual_seed(0)
    return {
        key: torch.zeros(shape, dtype=torch.long) if key.endswith("tracked") else torch.randn(shape).abs() + 0.5
        for key, shape in KEYS[module].items()
    }


def test_a_file_is_read_and_accounted_for(tmp_path):
    path = tmp_path / "prior.pth"
    torch.save(small("TH-VQVAE"), path)
    network, account = load_motion_prior(path)
    assert account == (96, {"a linear whose result nothing reads": 2})
    assert torch.equal(network.top_codebook.vectors, small("TH-VQVAE")["quantize_t.codebook.weight"])
    assert not network.training


def test_another_model_a_missing_and_a_strange_key_are_one_line_each(tmp_path):
    path = tmp_path / "file.pth"
    torch.save(small("FER"), path)
    with pytest.raises(BundleError, match=r"file\.pth: found the weights of FER\.pth; expected those of TH-VQVAE\.pth"):
        load_motion_prior(path)
    torch.save({"lm_head.weight": torch.zeros(3)}, path)
    with pytest.raises(BundleError, match="1 tensors of no model known here"):
        load_frame_emotion(path)
    torch.save({key: value for key, value in small("FER").items() if key != "bn_layers.3.running_var"}, path)
    with pytest.raises(BundleError, match=r"found nothing for norms\.3\.running_var; the file is incomplete"):
        load_frame_emotion(path)
    torch.save(small("FER") | {"hidden_layers.6.weight": torch.zeros(3)}, path)
    with pytest.raises(BundleError, match=r"found hidden_layers\.6\.weight, which this model does not have"):
        load_frame_emotion(path)
    torch.save(small("FER") | {"in_fc.weight": torch.zeros(256, 56)}, path)
    with pytest.raises(BundleError, match=r"linears\.0\.weight with shape \[256, 56\]; expected \[256, 53\]"):
        load_frame_emotion(path)


class Trap:
    def __reduce__(self):
        return (print, ("run by a checkpoint",))


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", pickle.dumps(Trap()), pickle.dumps({"a": 1})])
def test_files_that_are_no_checkpoint_are_one_line_and_nothing_runs(tmp_path, content, capsys):
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(BundleError) as refused:
        read_checkpoint(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)
    assert capsys.readouterr().out == ""


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path, capsys):
    path = tmp_path / "file.pth"
    torch.save(small("FER") | {"trap": Trap()}, path)
    with pytest.raises(BundleError, match="not a checkpoint that can be read safely"):
        read_checkpoint(path)
    assert capsys.readouterr().out == ""


def test_no_file_and_broken_values_are_named(tmp_path):
    path = tmp_path / "file.pth"
    with pytest.raises(InvalidValue, match="a file that exists"):
        read_checkpoint(path)
    torch.save(small("FER") | {"out_fc.bias": torch.full((8,), torch.nan)}, path)
    with pytest.raises(BundleError, match=r"values in out_fc\.bias that are not finite"):
        read_checkpoint(path)


def test_filling_leaves_a_network_ready_for_use():
    network = FrameEmotion()
    fill(network, small("FER"), FRAME_EMOTION, "here")
    assert not any(parameter.requires_grad for parameter in network.parameters())
