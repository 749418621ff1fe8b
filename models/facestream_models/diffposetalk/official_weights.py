"""The released weights under this package's names (specification, sections 4.3 and 5); every key is accounted for.

The variant is read from the tensors: stored options are not trusted. What a checkpoint stores although it follows from
the model (mask, schedule, table of steps) is checked, not loaded: another mask or schedule is another model.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from facestream.errors import BundleError
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import alignment_bias
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.speech import SpeechFeatures
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.encoders.speech_transformer import SpeechTransformerShape
from facestream_models.encoders.speech_weights import (
    SPEECH_TRANSFORMER,
    TORCH_LAYER,
    Renamed,
    Rule,
    load_whole,
    regular_names,
    renamed,
    under,
)

_HEAD_WIDTH = 64
"""Of one attention head in the released denoiser; no tensor tells."""

_DERIVED = "follows from the model"
_LAYER = r"transformer\.layers\.(\d+)\."
_KIND = r"\.(weight|bias)"

_DENOISER = (
    Rule(r"PE", "positions"),
    Rule(r"(?:TE\.pe|alignment_mask)", None, _DERIVED),
    Rule(r"diff_step_map\.(0|2)" + _KIND, r"step.\1.\2"),
    Rule(r"person_proj" + _KIND, r"person.\1"),
    Rule(r"feature_proj" + _KIND, r"frame.\1"),
    Rule(_LAYER + r"self_attn\.in_proj" + _KIND, r"layers.\1.self_attention.qkv.\2"),
    Rule(_LAYER + r"self_attn\.out_proj" + _KIND, r"layers.\1.self_attention.out.\2"),
    Rule(_LAYER + r"multihead_attn\.in_proj" + _KIND, r"layers.\1.cross_attention.qkv.\2"),
    Rule(_LAYER + r"multihead_attn\.out_proj" + _KIND, r"layers.\1.cross_attention.out.\2"),
    Rule(_LAYER + r"linear1" + _KIND, r"layers.\1.feed_forward.widen.\2"),
    Rule(_LAYER + r"linear2" + _KIND, r"layers.\1.feed_forward.narrow.\2"),
    Rule(_LAYER + r"norm([123])" + _KIND, r"layers.\1.norm\2.\3"),
    Rule(r"motion_dec\.(0|2)" + _KIND, r"motion.\1.\2"),
)

_MODEL = (
    Rule(r"start_(motion|audio)_feat", r"start_\1"),
    Rule(r"null_(style|audio)_feat", r"null_\1"),
    Rule(r"audio_feature_map" + _KIND, r"speech.map.\1"),
    Rule(r"diffusion_sched\.(betas|alphas|alpha_bars|sigmas_flex|sigmas_inflex)", None, _DERIVED),
    *under("denoising_net.", _DENOISER, "denoiser."),
    *under("audio_encoder.", SPEECH_TRANSFORMER, "speech.encoder."),
)

_STYLE = (
    Rule(r"motion_proj" + _KIND, r"enter.\1"),
    *TORCH_LAYER.rules(r"transformer\.layers\.(\d+)", r"layers.\1"),
)


def official_model(
    published: Mapping[str, Tensor], source: str, speech: SpeechTransformerShape | None = None
) -> DiffPoseTalk:
    """The model of a released denoiser checkpoint (its `model` entry), in evaluation mode.

    `source` is a name for errors; `speech` the size of its audio encoder, HuBERT-base unless told. Raises `BundleError`
    for a checkpoint that lacks something, holds something unknown, or was trained with other options.
    """
    shape = official_shape(published, source)
    _check_derived(published, shape, source)
    model = DiffPoseTalk(shape, SpeechFeatures(shape.width, speech))
    load_whole(model, renamed_model(published, source).tensors, source)
    return model.eval()


def official_style_encoder(published: Mapping[str, Tensor], source: str) -> StyleEncoder:
    """The style encoder of a released checkpoint (its `encoder` entry), in evaluation mode; errors as above."""
    motion_count = _tensor(published, "motion_proj.weight", source).shape[1]
    encoder = StyleEncoder(DenoiserShape(head_rotation=_has_head(motion_count, source)), legacy_positions=True)
    load_whole(encoder, renamed_style(published, source).tensors, source)
    return encoder.eval()


def renamed_model(published: Mapping[str, Tensor], source: str) -> Renamed:
    """Tensors of a denoiser checkpoint as `DiffPoseTalk` names them."""
    return renamed(regular_names(published, source), _MODEL, source)


def renamed_style(published: Mapping[str, Tensor], source: str) -> Renamed:
    """Tensors of a style checkpoint as `StyleEncoder` names them."""
    return renamed(regular_names(published, source), _STYLE, source)


def official_shape(published: Mapping[str, Tensor], source: str) -> DenoiserShape:
    """Sizes of a denoiser checkpoint, from its tensors; raises `BundleError` for a variant that was never released."""

    def size(key: str, axis: int) -> int:
        return _tensor(published, key, source).shape[axis]

    motion_count = size("denoising_net.motion_dec.2.weight", 0)
    head_rotation = _has_head(motion_count, source)
    marks = size("denoising_net.feature_proj.weight", 1) - motion_count
    if marks != 1:
        raise BundleError(f"{source}: found a frame projection with {marks} indicator channels; expected 1")
    style_count = size("null_style_feat", 2)
    past = size("start_motion_feat", 1)
    width = size("denoising_net.PE", 2)
    layers = [key for key in published if key.startswith("denoising_net.") and key.endswith(".norm3.weight")]
    return DenoiserShape(
        head_rotation=head_rotation,
        window=size("denoising_net.PE", 1) - 1 - past,
        past=past,
        width=width,
        layers=len(layers),
        heads=max(width // _HEAD_WIDTH, 1),
        hidden=size("denoising_net.transformer.layers.0.linear1.weight", 0),
        identity_count=size("denoising_net.person_proj.weight", 1) - style_count,
        style_count=style_count,
    )


def _check_derived(published: Mapping[str, Tensor], shape: DenoiserShape, source: str) -> None:
    mask = _tensor(published, "denoising_net.alignment_mask", source)
    wanted = alignment_bias(shape.memory_count).isinf()
    if mask.shape != wanted.shape or not torch.equal(mask.bool(), wanted):
        raise BundleError(f"{source}: found an alignment mask that is not the diagonal one of the released models")
    betas = _tensor(published, "diffusion_sched.betas", source).double().numpy()
    schedule = cosine_schedule()
    # Stored as float32 after a quotient near 1, hence no closer.
    if betas.shape != schedule.beta.shape or not np.allclose(betas, schedule.beta, rtol=1e-2, atol=1e-5):
        raise BundleError(f"{source}: found a noise schedule that is not the cosine one with {schedule.steps} steps")


def _has_head(motion_count: int, source: str) -> bool:
    for head_rotation in (True, False):
        if DenoiserShape(head_rotation=head_rotation).motion_count == motion_count:
            return head_rotation
    raise BundleError(f"{source}: found {motion_count} motion components; expected 54 (with head) or 51 (without)")


def _tensor(published: Mapping[str, Tensor], key: str, source: str) -> Tensor:
    if key not in published:
        raise BundleError(f"{source}: found no {key}; give a checkpoint of DiffPoseTalk that is whole")
    return published[key]
