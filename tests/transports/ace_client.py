"""A client of NVIDIA's interface from its published tables, with the orders that real clients use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from tests.transports.ace_tables import kind_of, message

Int16 = npt.NDArray[np.int16]

PROCESS = "/nvidia_ace.services.a2f_controller.v1.A2FControllerService/ProcessAudioStream"
GET_CONFIGS = "/nvidia_ace.services.a2x_export_config.v1.A2XExportConfigService/GetConfigs"

BLEND_SHAPES = (
    "EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft",
    "EyeWideLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight",
    "EyeSquintRight", "EyeWideRight", "JawForward", "JawLeft", "JawRight", "JawOpen", "MouthClose", "MouthFunnel",
    "MouthPucker", "MouthLeft", "MouthRight", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft",
    "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight",
    "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight",
    "MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight", "BrowDownLeft",
    "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft",
    "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut",
)  # fmt: skip
"""In the order in which Unreal's plugin takes them."""

SUCCESS, INFO, WARNING, ERROR = range(4)


def header(rate_hz: int = 16_000, *, channels: int = 1, bits: int = 16, audio_format: int = 0, **more: Any) -> Any:
    """The first request; `more` are other fields of the header."""
    audio = message(
        "audio.v1.AudioHeader",
        audio_format=audio_format, channel_count=channels, samples_per_second=rate_hz, bits_per_sample=bits,
    )  # fmt: skip
    return request(audio_stream_header=message("controller.v1.AudioStreamHeader", audio_header=audio, **more))


def request(**part: Any) -> Any:
    return message("controller.v1.AudioStream", **part)


def audio(samples: Int16 | bytes, emotions: Sequence[tuple[float, Mapping[str, float]]] = ()) -> Any:
    data = samples if isinstance(samples, bytes) else samples.astype("<i2").tobytes()
    entries = [
        message("emotion_with_timecode.v1.EmotionWithTimeCode", time_code=time, emotion=dict(emotion))
        for time, emotion in emotions
    ]
    return request(audio_with_emotion=message("a2f.v1.AudioWithEmotion", audio_buffer=data, emotions=entries))


END = request(end_of_audio=message("controller.v1.AudioStream.EndOfAudio"))


def whole(samples: Int16, rate_hz: int = 16_000, chunk: int | None = None, **more: Any) -> list[Any]:
    """What the sample client writes: header, one second a message (an empty one behind whole seconds), end."""
    size = chunk or rate_hz
    pieces = [audio(samples[begin : begin + size]) for begin in range(0, samples.size + 1, size)]
    return [header(rate_hz, **more), *pieces, END]


@dataclass
class Answer:
    """Everything a call gave, checked for what must hold of every answer."""

    messages: list[Any]
    end: grpc.aio.AioRpcError | None = None
    parts: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = [one.WhichOneof("stream_part") for one in self.messages]
        assert None not in self.parts, "an empty message"
        assert all(len(one.ListFields()) == 1 for one in self.messages)
        if self.messages:
            assert self.parts[0] == "animation_data_stream_header"
            assert self.parts.count("animation_data_stream_header") == 1
        for index, frame in enumerate(self.frames):
            (run,) = frame.skel_animation.blend_shape_weights
            assert len(run.values) == len(self.header.skel_animation_header.blend_shapes)
            assert frame.HasField("audio")
            assert frame.audio.audio_buffer, index
            assert run.time_code == frame.audio.time_code

    @property
    def header(self) -> Any:
        return self.messages[0].animation_data_stream_header

    @property
    def frames(self) -> list[Any]:
        return [one.animation_data for one in self.messages if one.WhichOneof("stream_part") == "animation_data"]

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        rows = [frame.skel_animation.blend_shape_weights[0].values for frame in self.frames]
        return np.array(rows, np.float32).reshape(-1, len(BLEND_SHAPES))

    @property
    def times(self) -> list[float]:
        return [frame.skel_animation.blend_shape_weights[0].time_code for frame in self.frames]

    @property
    def echo(self) -> Int16:
        return np.frombuffer(b"".join(frame.audio.audio_buffer for frame in self.frames), "<i2")

    def statuses(self, code: int) -> list[str]:
        found = [one.status for one in self.messages if one.WhichOneof("stream_part") == "status"]
        return [status.message for status in found if status.code == code]

    @property
    def is_complete(self) -> bool:
        """Header, frames, event, SUCCESS and an end without an error, in this order; INFO and WARNING anywhere."""
        final = self.messages[-1]
        told = [one.WhichOneof("stream_part") for one in self.messages if one.status.code in (SUCCESS, ERROR)]
        order = ["animation_data_stream_header", *["animation_data"] * len(self.frames), "event", "status"]
        return self.end is None and told == order and final.status.code == SUCCESS

    @property
    def error(self) -> str:
        """Text of the one ERROR, which must be the last message of a call that gRPC calls OK."""
        assert self.end is None, self.end
        (text,) = self.statuses(ERROR)
        assert self.messages[-1].status.message == text
        return text

    def emotions(self, index: int) -> Any:
        packed = self.frames[index].metadata["emotion_aggregate"]
        found = message("emotion_aggregate.v1.EmotionAggregate")
        assert packed.type_url == "type.googleapis.com/nvidia_ace.emotion_aggregate.v1.EmotionAggregate"
        found.ParseFromString(packed.value)
        return found


def call_of(channel: grpc.aio.Channel, metadata: Sequence[tuple[str, str]] = ()) -> Any:
    multi = channel.stream_stream(
        PROCESS,
        request_serializer=lambda one: one if isinstance(one, bytes) else one.SerializeToString(),
        response_deserializer=kind_of("controller.v1.AnimationDataStream").FromString,
    )
    return multi(metadata=metadata)


async def ask(
    channel: grpc.aio.Channel,
    requests: Sequence[Any],
    *,
    half_closes: bool = False,
    pause_s: float = 0.0,
    metadata: Sequence[tuple[str, str]] = (),
) -> Answer:
    """As the sample client does: the read is open before the first write, and nobody half-closes unless asked to."""
    call = call_of(channel, metadata)
    reading = asyncio.create_task(read_all(call))
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        for one in requests:
            await call.write(one)
            if pause_s:
                await asyncio.sleep(pause_s)
        if half_closes:
            await call.done_writing()
    return await reading


async def ask_late(channel: grpc.aio.Channel, requests: Iterable[Any]) -> Answer:
    """As Maya does: everything is written and half-closed before anything is read."""
    call = call_of(channel)
    for one in requests:
        await call.write(one)
    await call.done_writing()
    return await read_all(call)


async def read_all(call: Any) -> Answer:
    messages: list[Any] = []
    try:
        async for one in _answers(call):
            messages.append(one)
    except grpc.aio.AioRpcError as error:
        return Answer(messages, error)
    return Answer(messages)


async def _answers(call: Any) -> AsyncIterator[Any]:
    while (one := await call.read()) is not grpc.aio.EOF:
        yield one
