"""Live speakers as `live_load` has them, over WebSockets."""

import asyncio
import gc
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from google.protobuf.json_format import MessageToJson, Parse
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from facestream.client import StreamOptions
from facestream.client.messages import frames_of, info_of
from facestream.errors import FacestreamError
from facestream.types import Float32
from facestream.v1.animation_service_pb2 import AnimateRequest, AnimateResponse
from facestream.v1.audio_pb2 import AudioChunk
from facestream_bench.live_load import Crowd, Speaker, captured

FORMS: dict[str, tuple[Callable[[Any], str | bytes], Callable[[Any], Any]]] = {
    "binary": (lambda message: message.SerializeToString(), AnimateResponse.FromString),
    "json": (lambda message: MessageToJson(message, indent=None), lambda frame: Parse(frame, AnimateResponse())),
}
"""How a message becomes a frame, and an answer a message again."""

_STATUS = '{"code"'
"""How the last words of a call that failed begin."""


def web_crowd(web_address: str, form: str) -> Crowd:
    """Speakers who share one process; `form` is one of `FORMS`. The address of gRPC that they are given counts not."""

    def speak_all(_: str, pcm: Float32, options: StreamOptions, count: int) -> tuple[list[Speaker], float]:
        began_s = time.process_time()
        return asyncio.run(_crowd(web_address, form, pcm, options, count)), time.process_time() - began_s

    return speak_all


async def _crowd(web_address: str, form: str, pcm: Float32, options: StreamOptions, count: int) -> list[Speaker]:
    chance = random.Random(0)
    gc.collect()
    gc.freeze()  # as the crowd of gRPC does
    url = f"ws://{web_address}/facestream.v1.AnimationService/Animate"
    speakers = [
        _speak(url, form, np.roll(pcm, -chance.randrange(len(pcm))), options, chance.random()) for _ in range(count)
    ]
    return list(await asyncio.gather(*speakers))


async def _speak(url: str, form: str, pcm: Float32, options: StreamOptions, delay_s: float) -> Speaker:
    speaker = Speaker()
    encode, decode = FORMS[form]
    await asyncio.sleep(delay_s)
    protocol = Subprotocol(f"facestream.v1.{form}")
    async with connect(url, subprotocols=[protocol], compression=None, ping_interval=None) as socket:
        await socket.send(encode(AnimateRequest(config=options.config())))
        speaker.info = info_of(_answer(await socket.recv(), decode).started, options.sample_rate_hz)
        receiving = asyncio.create_task(_receive(socket, decode, speaker))
        async for chunk in captured(pcm, options.sample_rate_hz, speaker):
            audio = AudioChunk(data=options.encode(chunk))
            await socket.send(encode(AnimateRequest(audio=audio)))
        await socket.send("" if form == "json" else b"")
        await receiving
    return speaker


async def _receive(socket: ClientConnection, decode: Callable[[Any], Any], speaker: Speaker) -> None:
    async for frame in socket:
        answer = _answer(frame, decode)
        if answer.HasField("frames"):
            frames = frames_of(answer.frames)
            speaker.arrivals.append((time.perf_counter(), frames.first_index, frames.count))


def _answer(frame: str | bytes, decode: Callable[[Any], Any]) -> Any:
    if isinstance(frame, str) and frame.startswith(_STATUS):
        raise FacestreamError(f"a stream was ended: {frame}")
    return decode(frame)
