"""Our definition files against the tables: every package, name, number and type."""

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from facestream.nvidia_ace.a2f.v1 import a2f_pb2
from facestream.nvidia_ace.animation_data.v1 import animation_data_pb2
from facestream.nvidia_ace.audio.v1 import audio_pb2
from facestream.nvidia_ace.controller.v1 import controller_pb2
from facestream.nvidia_ace.emotion_aggregate.v1 import emotion_aggregate_pb2
from facestream.nvidia_ace.emotion_with_timecode.v1 import emotion_with_timecode_pb2
from facestream.nvidia_ace.services.a2f_controller.v1 import a2f_controller_pb2
from facestream.nvidia_ace.services.a2x_export_config.v1 import a2x_export_config_pb2
from facestream.nvidia_ace.status.v1 import status_pb2
from facestream.transports.ace_wire import BLEND_SHAPES as OURS
from tests.transports.ace_client import BLEND_SHAPES, GET_CONFIGS, PROCESS
from tests.transports.ace_tables import POOL, TABLES

FILES = {
    module.DESCRIPTOR.package.removeprefix("nvidia_ace."): module.DESCRIPTOR
    for module in (
        a2f_pb2,
        animation_data_pb2,
        audio_pb2,
        controller_pb2,
        emotion_aggregate_pb2,
        emotion_with_timecode_pb2,
        status_pb2,
        a2x_export_config_pb2,
    )
}
_INT_LIKE = {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM}
"""The tables leave the values of some enums to words; on the wire both are the same."""


def fields_of(message: Descriptor) -> dict[str, tuple[object, ...]]:
    return {
        field.name: (
            field.number,
            "integer" if field.type in _INT_LIKE else field.type,
            field.is_repeated,
            field.message_type.full_name if field.message_type else None,
            field.containing_oneof.name if field.containing_oneof else None,
        )
        for field in message.fields
    }


def values_of(enum: EnumDescriptor) -> dict[str, int]:
    return {value.name: value.number for value in enum.values}


@pytest.mark.parametrize("package", TABLES)
def test_messages_are_those_of_the_tables(package: str) -> None:
    ours = FILES[package].message_types_by_name
    assert set(ours) == {name for name in TABLES[package] if "." not in name}
    for name, message in ours.items():
        theirs = POOL.FindMessageTypeByName(f"nvidia_ace.{package}.{name}")
        assert fields_of(message) == fields_of(theirs), name
        for enum in theirs.enum_types:
            assert values_of(message.enum_types_by_name[enum.name]) == values_of(enum)


def test_a_wrong_number_is_noticed() -> None:
    found = fields_of(status_pb2.Status.DESCRIPTOR)
    assert found == fields_of(POOL.FindMessageTypeByName("nvidia_ace.status.v1.Status"))
    assert found | {"message": (3, *found["message"][1:])} != found


def test_values_that_the_tables_tell_in_words() -> None:
    assert controller_pb2.EventType.items() == [("END_OF_A2F_AUDIO_PROCESSING", 0)]
    assert a2x_export_config_pb2.ConfigsTypeRequest.ConfigType.items() == [("YAML", 0), ("JSON", 1)]


@pytest.mark.parametrize(
    ("file", "path", "request_name", "answer", "streams"),
    [
        (a2f_controller_pb2, PROCESS, "controller.v1.AudioStream", "controller.v1.AnimationDataStream", (True, True)),
        (
            a2x_export_config_pb2,
            GET_CONFIGS,
            "services.a2x_export_config.v1.ConfigsTypeRequest",
            "services.a2x_export_config.v1.A2XConfig",
            (False, True),
        ),
    ],
)
def test_methods_have_their_full_names(
    file: object, path: str, request_name: str, answer: str, streams: tuple[bool, bool]
) -> None:
    _, service, method = path.split("/")
    found = file.DESCRIPTOR.services_by_name[service.split(".")[-1]]  # type: ignore[attr-defined]
    assert found.full_name == service
    found = found.methods_by_name[method]
    assert found.input_type.full_name == f"nvidia_ace.{request_name}"
    assert found.output_type.full_name == f"nvidia_ace.{answer}"
    assert (found.client_streaming, found.server_streaming) == streams


def test_blendshapes_stand_where_unreal_looks_for_them() -> None:
    assert OURS == BLEND_SHAPES
    assert len(OURS) == 52
