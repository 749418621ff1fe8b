"""Published weights under the names of this package: rename by rule, account for every key, load strictly.

A rule is a pattern for the whole published name and either the name it has here or the reason why it is left out. A
name that no rule knows is an error, and so is a tensor that the network misses: a checkpoint is loaded whole or not.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facestream.errors import BundleError

_SHOWN = 3


class Rule(NamedTuple):
    """`pattern` matches a whole name; `name` is a replacement as in `re.sub`, or `None`: dropped, because `reason`."""

    pattern: str
    name: str | None
    reason: str = ""


class Renamed(NamedTuple):
    """Tensors by their names here, and how many published keys were dropped for which reason."""

    tensors: dict[str, Tensor]
    dropped: dict[str, int]


@dataclass(frozen=True)
class LayerNames:
    """What a publisher calls the parts of one post-norm layer. `weight` and `bias` follow each with a dot."""

    qkv: str
    out: str
    attention_norm: str
    widen: str
    narrow: str
    output_norm: str

    def rules(self, published: str, own: str) -> list[Rule]:
        """Rules for every layer whose prefix matches `published`, with groups that `own` may use."""
        pairs = (
            (self.qkv, "attention.qkv"),
            (self.out, "attention.out"),
            (self.attention_norm, "attention_norm"),
            (self.widen, "widen"),
            (self.narrow, "narrow"),
            (self.output_norm, "output_norm"),
        )
        return [
            Rule(rf"{published}\.{re.escape(theirs)}\.{kind}", rf"{own}.{ours}.{kind}")
            for theirs, ours in pairs
            for kind in ("weight", "bias")
        ]


TORCH_LAYER = LayerNames("self_attn.in_proj", "self_attn.out_proj", "norm1", "linear1", "linear2", "norm2")
"""Of torch's own encoder layer, after `regular_names`."""

FUSED_LAYER = LayerNames("attn.qkv", "attn.proj", "norm1", "mlp.fc1", "mlp.fc2", "norm2")
"""Of the vision-transformer block that emotion2vec uses."""

_PUBLIC_LAYER = LayerNames(
    "attention.qkv",
    "attention.out_proj",
    "layer_norm",
    "feed_forward.intermediate_dense",
    "feed_forward.output_dense",
    "final_layer_norm",
)

SPEECH_TRANSFORMER: Sequence[Rule] = (
    Rule(r"masked_spec_embed", "mask_embedding"),
    Rule(r"feature_extractor\.conv_layers\.(\d+)\.conv\.weight", r"convolutions.\1.weight"),
    Rule(r"feature_extractor\.conv_layers\.0\.layer_norm\.(weight|bias)", r"clip_norm.\1"),
    Rule(r"feature_projection\.layer_norm\.(weight|bias)", r"feature_norm.\1"),
    Rule(r"feature_projection\.projection\.(weight|bias)", r"project.\1"),
    Rule(r"encoder\.pos_conv_embed\.conv\.(weight|bias)", r"position.\1"),
    Rule(r"encoder\.layer_norm\.(weight|bias)", r"norm.\1"),
    *_PUBLIC_LAYER.rules(r"encoder\.layers\.(\d+)", r"layers.\1"),
)
"""wav2vec2-base and HuBERT-base as public hubs name them; apply to `regular_names`."""


def under(prefix: str, rules: Iterable[Rule], own: str = "") -> list[Rule]:
    """The same rules for names that begin with `prefix` (plain text), giving names that begin with `own`."""
    return [Rule(re.escape(prefix) + r.pattern, None if r.name is None else own + r.name, r.reason) for r in rules]


def regular_names(published: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """One spelling for what publishers store in several: weight norm folded, query, key and value stacked as `qkv`.

    Weight norm comes as `weight_g` / `weight_v` or as `parametrizations.weight.original0` / `original1`. Raises
    `BundleError` where `source` has only some of the parts.
    """
    regular = {}
    for key, tensor in published.items():
        key = key.replace("parametrizations.weight.original0", "weight_g")
        key = key.replace("parametrizations.weight.original1", "weight_v")
        regular[re.sub(r"in_proj_(weight|bias)$", r"in_proj.\1", key)] = tensor
    for stem in [key.removesuffix("_g") for key in regular if key.endswith("weight_g")]:
        gain, direction = _take(regular, [f"{stem}_g", f"{stem}_v"], source)
        regular[stem] = _weight(gain, direction)
    for key in [key for key in regular if ".q_proj." in key]:
        parts = [key.replace(".q_proj.", f".{part}_proj.") for part in "qkv"]
        regular[key.replace(".q_proj.", ".qkv.")] = torch.cat(_take(regular, parts, source))
    return regular


def renamed(published: Mapping[str, Tensor], rules: Iterable[Rule], source: str) -> Renamed:
    """Apply `rules`, first match wins. Raises `BundleError` naming keys of `source` that no rule knows."""
    compiled = [(re.compile(rule.pattern), rule) for rule in rules]
    tensors: dict[str, Tensor] = {}
    dropped: dict[str, int] = {}
    unknown = []
    for key, tensor in published.items():
        match, rule = next(((m, rule) for pattern, rule in compiled if (m := pattern.fullmatch(key))), (None, None))
        if match is None or rule is None:
            unknown.append(key)
        elif rule.name is None:
            dropped[rule.reason] = dropped.get(rule.reason, 0) + 1
        else:
            tensors[match.expand(rule.name)] = tensor
    if unknown:
        raise BundleError(f"{source}: found {_some(unknown)}, which this model does not have; give its own checkpoint")
    return Renamed(tensors, dropped)


def load_whole(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Fill every parameter and buffer of `network` that is stored; nothing may be missing, left over or misshapen."""
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in tensors]
    if missing:
        raise BundleError(f"{source}: found nothing for {_some(missing)}; the file is incomplete, download it again")
    left = [name for name in tensors if name not in wanted]
    if left:
        raise BundleError(f"{source}: found {_some(left)}, which this model does not have; give its own checkpoint")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise BundleError(
                f"{source}: found {name} with shape {list(tensor.shape)}; expected {list(wanted[name].shape)}; "
                "it belongs to a model of another size"
            )
    network.load_state_dict(dict(tensors), strict=True)


def _take(tensors: dict[str, Tensor], names: Sequence[str], source: str) -> list[Tensor]:
    missing = [name for name in names if name not in tensors]
    if missing:
        raise BundleError(f"{source}: found no {_some(missing)}; the file is incomplete, download it again")
    return [tensors.pop(name) for name in names]


def _weight(gain: Tensor, direction: Tensor) -> Tensor:
    """`gain * direction / |direction|`, the length taken over the axes in which `gain` has one entry."""
    axes = [axis for axis, size in enumerate(gain.shape) if size == 1]
    length: Tensor = torch.linalg.vector_norm(direction, dim=axes, keepdim=True)
    return gain * direction / length


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
