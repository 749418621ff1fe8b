"""Messages of NVIDIA's interface, built at run time from tables of names and numbers as NVIDIA publishes them.

Nothing here knows our definition files, and the pool is one of its own, so that a wrong number of ours is found.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import any_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

TABLES: dict[str, dict[str, list[str]]] = {
    "audio.v1": {
        "AudioHeader": ["1 audio_format enum AudioFormat", "2 channel_count uint32", "3 samples_per_second uint32",
                        "4 bits_per_sample uint32"],
        "AudioHeader.AudioFormat": ["0 AUDIO_FORMAT_PCM"],
    },
    "status.v1": {
        "Status": ["1 code enum Code", "2 message string"],
        "Status.Code": ["0 SUCCESS", "1 INFO", "2 WARNING", "3 ERROR"],
    },
    "emotion_with_timecode.v1": {
        "EmotionWithTimeCode": ["1 time_code double", "2 emotion map float"],
    },
    "emotion_aggregate.v1": {
        "EmotionAggregate": [
            "1 input_emotions rep emotion_with_timecode.v1.EmotionWithTimeCode",
            "2 a2e_output rep emotion_with_timecode.v1.EmotionWithTimeCode",
            "3 a2f_smoothed_output rep emotion_with_timecode.v1.EmotionWithTimeCode",
        ],
    },
    "animation_data.v1": {
        "AnimationData": ["1 skel_animation opt animation_data.v1.SkelAnimation",
                          "2 audio opt animation_data.v1.AudioWithTimeCode", "3 camera opt animation_data.v1.Camera",
                          "4 metadata map any"],
        "AudioWithTimeCode": ["1 time_code double", "2 audio_buffer bytes"],
        "SkelAnimationHeader": ["1 blend_shapes rep string", "2 joints rep string"],
        "SkelAnimation": ["1 blend_shape_weights rep animation_data.v1.FloatArrayWithTimeCode",
                          "2 translations rep animation_data.v1.Float3ArrayWithTimeCode",
                          "3 rotations rep animation_data.v1.QuatFArrayWithTimeCode",
                          "4 scales rep animation_data.v1.Float3ArrayWithTimeCode"],
        "FloatArrayWithTimeCode": ["1 time_code double", "2 values rep float"],
        "Float3ArrayWithTimeCode": ["1 time_code double", "2 values rep animation_data.v1.Float3"],
        "QuatFArrayWithTimeCode": ["1 time_code double", "2 values rep animation_data.v1.QuatF"],
        "Camera": ["1 position rep animation_data.v1.Float3WithTimeCode",
                   "2 rotation rep animation_data.v1.QuatFWithTimeCode",
                   "3 focal_length rep animation_data.v1.FloatWithTimeCode",
                   "4 focus_distance rep animation_data.v1.FloatWithTimeCode"],
        "Float3WithTimeCode": ["1 time_code double", "2 value msg animation_data.v1.Float3"],
        "QuatFWithTimeCode": ["1 time_code double", "2 value msg animation_data.v1.QuatF"],
        "FloatWithTimeCode": ["1 time_code double", "2 value float"],
        "QuatF": ["1 real float", "2 i float", "3 j float", "4 k float"],
        "Float3": ["1 x float", "2 y float", "3 z float"],
    },
    "a2f.v1": {
        "AudioWithEmotion": ["1 audio_buffer bytes", "2 emotions rep emotion_with_timecode.v1.EmotionWithTimeCode"],
        "FaceParameters": ["1 float_params map float", "2 integer_params map int32",
                           "3 float_array_params map a2f.v1.FloatArray"],
        "FloatArray": ["1 values rep float"],
        "BlendShapeParameters": ["1 bs_weight_multipliers map float", "2 bs_weight_offsets map float",
                                 "3 enable_clamping_bs_weight opt bool"],
        "EmotionParameters": ["1 live_transition_time opt float", "2 beginning_emotion map float"],
        "EmotionPostProcessingParameters": [
            "1 emotion_contrast opt float", "2 live_blend_coef opt float", "3 enable_preferred_emotion opt bool",
            "4 preferred_emotion_strength opt float", "5 emotion_strength opt float", "6 max_emotions opt int32"],
    },
    "controller.v1": {
        "AudioStream": ["1 audio_stream_header one controller.v1.AudioStreamHeader",
                        "2 audio_with_emotion one a2f.v1.AudioWithEmotion",
                        "3 end_of_audio one controller.v1.AudioStream.EndOfAudio"],
        "AudioStream.EndOfAudio": [],
        "AudioStreamHeader": [
            "1 audio_header msg audio.v1.AudioHeader", "2 face_params msg a2f.v1.FaceParameters",
            "3 emotion_post_processing_params msg a2f.v1.EmotionPostProcessingParameters",
            "4 blendshape_params msg a2f.v1.BlendShapeParameters", "5 emotion_params msg a2f.v1.EmotionParameters"],
        "AnimationDataStream": ["1 animation_data_stream_header one controller.v1.AnimationDataStreamHeader",
                                "2 animation_data one animation_data.v1.AnimationData",
                                "3 event one controller.v1.Event", "4 status one status.v1.Status"],
        "AnimationDataStreamHeader": ["1 audio_header opt audio.v1.AudioHeader",
                                      "2 skel_animation_header opt animation_data.v1.SkelAnimationHeader",
                                      "3 start_time_code_since_epoch double"],
        "Event": ["1 event_type int32", "2 metadata opt any"],
    },
    "services.a2x_export_config.v1": {
        "ConfigsTypeRequest": ["1 config_type int32"],
        "A2XConfig": ["1 name string", "2 content string"],
    },
}  # fmt: skip
"""Package (without `nvidia_ace.`) -> message -> fields: number, name, then a scalar type, or `rep`, `opt`, `map`, `one`
(of the oneof `stream_part`), `msg` or `enum` and a type.
"""

_F = FieldDescriptorProto
_SCALARS = {
    "double": _F.TYPE_DOUBLE, "float": _F.TYPE_FLOAT, "int32": _F.TYPE_INT32, "uint32": _F.TYPE_UINT32,
    "bool": _F.TYPE_BOOL, "string": _F.TYPE_STRING, "bytes": _F.TYPE_BYTES,
}  # fmt: skip


def _typed(field: Any, name: str) -> None:
    if name in _SCALARS:
        field.type = _SCALARS[name]
    else:
        field.type = _F.TYPE_MESSAGE
        field.type_name = ".google.protobuf.Any" if name == "any" else f".nvidia_ace.{name}"


def _add_field(message: DescriptorProto, full_name: str, words: Sequence[str]) -> None:
    number, name, kind, *more = words
    field = message.field.add(name=name, number=int(number), label=_F.LABEL_OPTIONAL)
    match kind:
        case "map":
            entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, type=_F.TYPE_STRING, label=_F.LABEL_OPTIONAL)
            _typed(entry.field.add(name="value", number=2, label=_F.LABEL_OPTIONAL), more[0])
            field.label = _F.LABEL_REPEATED
            _typed(field, f"{full_name}.{entry.name}")
        case "rep":
            field.label = _F.LABEL_REPEATED
            _typed(field, more[0])
        case "one":
            if not message.oneof_decl:
                message.oneof_decl.add(name="stream_part")
            field.oneof_index = 0
            _typed(field, more[0])
        case "opt":
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{name}")
            _typed(field, more[0])
        case "msg":
            _typed(field, more[0])
        case "enum":
            field.type = _F.TYPE_ENUM
            field.type_name = f".nvidia_ace.{full_name}.{more[0]}"
        case _:
            _typed(field, kind)


def _file_of(package: str, messages: Mapping[str, list[str]], known: Iterable[str]) -> FileDescriptorProto:
    file = FileDescriptorProto(name=f"tables/{package}", package=f"nvidia_ace.{package}", syntax="proto3")
    file.dependency.extend(["google/protobuf/any.proto", *known])
    made: dict[str, DescriptorProto] = {}
    for name, rows in messages.items():
        outer, _, inner = name.partition(".")
        if rows and rows[0].split()[0] == "0":
            enum = made[outer].enum_type.add(name=inner)
            for row in rows:
                number, value = row.split()
                enum.value.add(name=value, number=int(number))
            continue
        message = made[outer].nested_type.add(name=inner) if inner else file.message_type.add(name=name)
        made[name] = message
        for row in rows:
            _add_field(message, f"{package}.{name}", row.split())
    return file


def _build() -> DescriptorPool:
    pool = DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    known: list[str] = []
    for package, messages in TABLES.items():
        file = _file_of(package, messages, known)
        pool.AddSerializedFile(file.SerializeToString())
        known.append(file.name)
    return pool


POOL = _build()


def message(name: str, /, **fields: Any) -> Any:
    """A message of the tables, `controller.v1.AudioStream` for example."""
    return kind_of(name)(**fields)


def kind_of(name: str) -> Any:
    return GetMessageClass(POOL.FindMessageTypeByName(f"nvidia_ace.{name}"))
