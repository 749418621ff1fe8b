"""The released checkpoints, read safely and under the names of this package (specification, section 2.9).

Users bring these files; their terms allow neither shipping nor fetching them. Nothing in a file is run: the reader
builds tensors and plain containers only. Every key of a file is either used or dropped for a reason, and the reasons
are counted, so that a file of another model never passes for one of these.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from torch import Tensor, nn

from facestream.errors import BundleError
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.motion_prior import MotionPrior
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.encoders.emotion2vec import Emotion2Vec
from facestream_models.encoders.speech_weights import (
    FUSED_LAYER,
    SPEECH_TRANSFORMER,
    TORCH_LAYER,
    Rule,
    load_whole,
    regular_names,
    renamed,
    under,
)
from facestream_models.released.checkpoint import read_safely, tensors_of

Network = TypeVar("Network", bound=nn.Module)

_BOTH = r"\.(weight|bias)"
_NORM = r"\.(weight|bias|running_mean|running_var|num_batches_tracked)"
_TEMPLATE = "templates that layers were copied from, unused"
_TABLE = "tables of positions, computed here"
_AUDIO = r"embedding_model\.modality_encoders\.AUDIO\."

_FRAME_EMOTION = [
    Rule(rf"in_fc{_BOTH}", r"linears.0.\1"),
    *(Rule(rf"hidden_layers\.{n}{_BOTH}", rf"linears.{n + 1}.\1") for n in range(6)),
    Rule(rf"bn_layers\.(\d){_NORM}", r"norms.\1.\2"),
    Rule(rf"out_fc{_BOTH}", r"classes.\1"),
]

_MOTION_PRIOR = [
    *(
        rule
        for letter, own in (("b", "bottom_encoder"), ("t", "top_encoder"))
        for rule in (
            Rule(rf"encoder_{letter}\.squasher\.0\.0{_BOTH}", rf"{own}.convolution.\1"),
            Rule(rf"encoder_{letter}\.squasher\.0\.2{_NORM}", rf"{own}.norm.\1"),
            Rule(rf"encoder_{letter}\.encoder_linear_embedding\.net{_BOTH}", rf"{own}.enter.\1"),
            *TORCH_LAYER.rules(rf"encoder_{letter}\.encoder_transformer\.layers\.0", rf"{own}.layer"),
        )
    ),
    *(
        rule
        for letter, own in (("b", "bottom_decoder"), ("t", "top_decoder"))
        for rule in (
            Rule(rf"decoder_{letter}\.expander\.0\.0{_BOTH}", rf"{own}.convolution.\1"),
            Rule(rf"decoder_{letter}\.expander\.0\.2{_NORM}", rf"{own}.norm.\1"),
            Rule(rf"decoder_{letter}\.decoder_linear_embedding{_BOTH}", rf"{own}.enter.\1"),
            *TORCH_LAYER.rules(rf"decoder_{letter}\.decoder_transformer\.layers\.0", rf"{own}.layer"),
        )
    ),
    Rule(rf"decoder_b\.post_transformer_linear{_BOTH}", None, "a linear whose result nothing reads"),
    Rule(rf"decoder_b\.cross_smooth_layer{_BOTH}", r"leave.\1"),
    Rule(rf"upsample_t{_BOTH}", r"up_sample.\1"),
    *(
        rule
        for letter, own in (("b", "bottom_codebook"), ("t", "top_codebook"))
        for rule in (
            Rule(rf"quantize_{letter}\.codebook\.weight", f"{own}.vectors"),
            Rule(rf"quantize_{letter}\.ema_count", f"{own}.mean_counts"),
            Rule(rf"quantize_{letter}\.ema_weight", f"{own}.mean_sums"),
        )
    ),
]

_EMOTION2VEC = [
    Rule(rf"{_AUDIO}extra_tokens", "tokens"),
    Rule(rf"{_AUDIO}alibi_scale", "distance_strength"),
    Rule(rf"{_AUDIO}local_encoder\.conv_layers\.(\d)\.0\.weight", r"convolutions.\1.0.weight"),
    Rule(rf"{_AUDIO}local_encoder\.conv_layers\.(\d)\.2\.1{_BOTH}", r"convolutions.\1.1.\2"),
    Rule(rf"{_AUDIO}project_features\.1{_BOTH}", r"feature_norm.\1"),
    Rule(rf"{_AUDIO}project_features\.2{_BOTH}", r"project.\1"),
    *(Rule(rf"{_AUDIO}relative_positional_encoder\.{n + 1}\.0{_BOTH}", rf"positions.{n}.0.\1") for n in range(5)),
    Rule(rf"{_AUDIO}context_encoder\.norm{_BOTH}", r"norm.\1"),
    *FUSED_LAYER.rules(rf"{_AUDIO}context_encoder\.blocks\.(\d)", r"lower_layers.\1"),
    *FUSED_LAYER.rules(r"embedding_model\.blocks\.(\d)", r"upper_layers.\1"),
    Rule(rf"{_AUDIO}decoder\..*", None, "the pre-training decoder of emotion2vec, unused"),
]


def _sequence(letters: str) -> list[Rule]:
    """Rules of a side of the embedding, whose parts begin with `audio` or `exp`."""
    return [
        *TORCH_LAYER.rules(rf"{letters}_encoder\.layers\.(\d)", r"layers.\1"),
        *TORCH_LAYER.rules(rf"{letters}_mean_encoder\.layers\.0", "mean_head.layer"),
        *TORCH_LAYER.rules(rf"{letters}_uncertainty_encoder\.layers\.0", "variance_head.layer"),
        *(
            rule
            for theirs, own in (("mean", "mean_head"), ("std", "variance_head"))
            for rule in (
                Rule(rf"{theirs}_feature_map{_BOTH}", rf"{own}.map.\1"),
                Rule(rf"{theirs}_pool\.gru\.(\w+)", rf"{own}.pool.recurrence.\1"),
                Rule(rf"{theirs}_pool\.linear\.weight", f"{own}.pool.score.weight"),
            )
        ),
        Rule(rf"exp_map{_BOTH}", r"enter.\1"),
        Rule(rf"{letters}_(encoder|mean|uncertainty)_layer\..*", None, _TEMPLATE),
        Rule(rf"{letters}_pos_encoder\.pos_enc", None, _TABLE),
    ]


_SPEECH_EMOTION = [*under("", _EMOTION2VEC, "encoder."), *under("", _sequence("audio"), "embedding.")]

_EMOTION_EMBEDDING = [
    *under("audio_encoder.", _SPEECH_EMOTION, "speech."),
    *under("exp_encoder.", _sequence("exp"), "expression."),
    Rule(r"criterion\.negative_scale", "scale"),
    Rule(r"criterion\.shift", "shift"),
]


def _predictor(theirs: str, own: str) -> list[Rule]:
    return [
        Rule(rf"{theirs}\.pre_linear{_BOTH}", rf"{own}.enter.\1"),
        Rule(rf"{theirs}\.post_linear{_BOTH}", rf"{own}.leave.\1"),
        *TORCH_LAYER.rules(rf"{theirs}\.encoder\.layers\.(\d)", rf"{own}.layers.\1"),
    ]


_GENERATOR = [
    Rule(rf"emotion_map_layer{_BOTH}", r"emotion.\1"),
    Rule(rf"condition_feature_layer{_BOTH}", r"style.\1"),
    *TORCH_LAYER.rules(r"bert_decoder\.layers\.0", "face_layer"),
    Rule(rf"decoder{_BOTH}", r"face.\1"),
    *_predictor("squasher_2_t", "top"),
    *_predictor("squasher_2_b_2", "bottom"),
    Rule(rf"obj_vector\.map{_BOTH}", None, "a map of labels that nothing reads"),
]

_DEEPTALK = [
    *under("audio_model.model.", SPEECH_TRANSFORMER, "content.encoder."),
    Rule(rf"sequence_encoder\.linear{_BOTH}", r"generator.content.\1"),
    *under("sequence_decoder.", _GENERATOR, "generator."),
    *under("sequence_decoder.motion_prior.", _MOTION_PRIOR, "prior."),
    *under("sequence_decoder.DEE.audio_encoder.", _SPEECH_EMOTION, "emotion."),
    Rule(r"sequence_decoder\.DEE\.(exp_encoder|criterion)\..*", None, "expression side of the embedding, for training"),
    Rule(r"sequence_decoder\.DEE_audio\..*", None, "second name of the speech side of the embedding"),
]


class Released(NamedTuple):
    """A released file: its usual name, a key by which it is known, and what is read from it."""

    file: str
    known_by: str
    rules: list[Rule]


FRAME_EMOTION = Released("FER.pth", "in_fc.weight", _FRAME_EMOTION)
MOTION_PRIOR = Released("TH-VQVAE.pth", "quantize_t.codebook.weight", _MOTION_PRIOR)
EMOTION_EMBEDDING = Released("DEE.pt", "criterion.shift", _EMOTION_EMBEDDING)
DEEPTALK = Released("DEEPTalk.pth", "sequence_decoder.condition_feature_layer.weight", _DEEPTALK)
_ALL = (FRAME_EMOTION, MOTION_PRIOR, EMOTION_EMBEDDING, DEEPTALK)


class Account(NamedTuple):
    """What became of a file: how many `keys` it had, and how many were `dropped` for which reason."""

    keys: int
    dropped: dict[str, int]


def load_deeptalk(path: Path) -> tuple[DeepTalk, Account]:
    """The whole system, ready for use, from `DEEPTalk.pth`. Raises `InvalidValue` or `BundleError`, one clear line."""
    return _load(path, DEEPTALK, DeepTalk)


def load_emotion_embedding(path: Path) -> tuple[EmotionEmbedding, Account]:
    """Both sides of the emotion embedding from `DEE.pt`."""
    return _load(path, EMOTION_EMBEDDING, lambda: EmotionEmbedding(Emotion2Vec()))


def load_motion_prior(path: Path) -> tuple[MotionPrior, Account]:
    """The motion prior from `TH-VQVAE.pth`."""
    return _load(path, MOTION_PRIOR, MotionPrior)


def load_frame_emotion(path: Path) -> tuple[FrameEmotion, Account]:
    """The frame-wise classifier from `FER.pth`."""
    return _load(path, FRAME_EMOTION, FrameEmotion)


def fill(network: nn.Module, published: Mapping[str, Tensor], released: Released, source: str) -> Account:
    """Fill `network` with tensors under their published names and put it into evaluation."""
    found = renamed(regular_names(published, source), released.rules, source)
    tensors = {
        name: tensor.reshape(-1, 1, 1) if name.endswith("distance_strength") else tensor
        for name, tensor in found.tensors.items()
    }
    load_whole(network, tensors, source)
    network.eval().requires_grad_(False)
    return Account(len(published), found.dropped)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Tensors of a torch file by name, read without running anything in it.

    Raises `InvalidValue` for a path that is no file, `BundleError` for what is not a plain state dictionary or holds
    values that are not finite.
    """
    return tensors_of(read_safely(path), str(path))


def _load(path: Path, released: Released, build: Callable[[], Network]) -> tuple[Network, Account]:
    published = read_checkpoint(path)
    known = [other for other in _ALL if other.known_by in published]
    if released not in known:
        found = f"the weights of {known[0].file}" if known else f"{len(published)} tensors of no model known here"
        raise BundleError(f"{path}: found {found}; expected those of {released.file}; give that file")
    network = build()
    return network, fill(network, published, released, str(path))
