"""Files of the config service: what this server honours and is limited to, under the names NVIDIA's files have."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from facestream.nvidia_ace.services.a2x_export_config.v1.a2x_export_config_pb2 import A2XConfig, ConfigsTypeRequest
from facestream.serving.host import AnimationHost
from facestream.serving.limits import Limits
from facestream.transports.ace_emotions import EMOTIONS, EmotionRules
from facestream.transports.ace_options import AceOptions
from facestream.transports.ace_parameters import RANGES
from facestream.transports.ace_upload import LONGEST_BUFFER_S
from facestream.transports.ace_wire import BLEND_SHAPES, MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ

_Tree = Mapping[str, Any]


def config_files(host: AnimationHost, options: AceOptions, config_type: int) -> Iterator[A2XConfig]:
    """The three files, as YAML or JSON. Raises `Unavailable` until the models are there."""
    is_json = config_type == ConfigsTypeRequest.JSON
    for name, tree in (
        ("stylization_config", _stylization(options.model or host.models()[0].name)),
        ("deployment_config", _deployment(host, options)),
        ("advanced_config", _advanced(host.limits, options)),
    ):
        content = json.dumps(tree, indent=2) + "\n" if is_json else yaml_of(tree)
        yield A2XConfig(name=f"{name}.{'json' if is_json else 'yaml'}", content=content)


def yaml_of(tree: _Tree, indent: int = 0) -> str:
    """Nested mappings of scalars as YAML; scalars are written as JSON, of which YAML takes every one."""
    lines = []
    for name, value in tree.items():
        if isinstance(value, Mapping):
            lines.append(f"{' ' * indent}{name}:\n{yaml_of(value, indent + 2)}")
        else:
            lines.append(f"{' ' * indent}{name}: {json.dumps(value)}\n")
    return "".join(lines)


def _stylization(model: str) -> _Tree:
    rules = EmotionRules()
    return {
        "default_beginning_emotions": dict.fromkeys(EMOTIONS, 0.0),
        "a2e": {
            "post_processing_params": {
                "emotion_strength": rules.strength,
                "enable_preferred_emotion": rules.counts,
                "max_emotions": rules.most,
                "preferred_emotion_strength": 1.0,
            },
        },
        "a2f": {
            "inference_model_id": model,
            "enable_tongue_blendshapes": False,
            "face_params": {name: neutral for name, (_, neutral, _) in RANGES.items()},
            "blendshape_params": {
                "enable_clamping_bs_weight": False,
                "weight_multipliers": dict.fromkeys(BLEND_SHAPES, 1.0),
                "weight_offsets": dict.fromkeys(BLEND_SHAPES, 0.0),
            },
        },
    }


def _deployment(host: AnimationHost, options: AceOptions) -> _Tree:
    return {
        "common": {
            "stream_number": host.admission.max_streams,
            "add_silence_padding_after_audio": options.rests_at_end,
            "burst_mode": options.pace is None,
            "blendshape_streaming_fps": float(options.frame_rate.fraction),
        },
    }


def _advanced(limits: Limits, options: AceOptions) -> _Tree:
    return {
        "input_sanitization": {
            "min_sample_rate": MIN_SAMPLE_RATE_HZ,
            "max_sample_rate": MAX_SAMPLE_RATE_HZ,
            "max_audio_buffer_size_second": LONGEST_BUFFER_S,
            "max_audio_clip_size_second": options.clip_bound_s,
            "max_wait_time_idle_ms": round(1000 * limits.idle_timeout_s),
        },
    }
