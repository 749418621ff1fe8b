"""`HearEmotion`: a reference clip comes in pieces, one emotion goes back."""

import asyncio
from typing import Any

import numpy as np

from facestream.errors import AudioError, InvalidValue, OutOfOrder, TimeLimit
from facestream.serving.host import AnimationHost, HeardEmotion
from facestream.serving.reference import LONGEST_S
from facestream.transports.incoming import Caller, first_config
from facestream.transports.wire import pcm_format_of, wire_names
from facestream.types import Float32


async def hear_reference(host: AnimationHost, caller: Caller) -> HeardEmotion:
    """Take the whole clip, then hear it. Raises what is wrong with it, naming the field."""
    config = await first_config(caller, host.limits.start_timeout_s)
    pcm_format = pcm_format_of(config.audio_format)
    pieces: list[Float32] = []
    longest = LONGEST_S * pcm_format.sample_rate_hz
    while (request := await _next(caller, host.limits.idle_timeout_s)) is not None:
        if request.WhichOneof("kind") != "audio":
            raise OutOfOrder("something else than audio behind 'config'; send 'audio', then half-close")
        if request.audio.HasField("first_sample"):
            raise InvalidValue("audio.first_sample", request.audio.first_sample, "nothing: a clip has no gaps")
        with wire_names():
            pieces.append(pcm_format.decode(request.audio.data))
        if sum(piece.size for piece in pieces) > longest:
            raise AudioError("audio", f"more than {LONGEST_S} s", f"at most {LONGEST_S} s; the best few are enough")
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    with wire_names(audio="audio"):
        return await host.hear_emotion(config.model, samples, pcm_format.sample_rate_hz)


async def _next(caller: Caller, timeout_s: float) -> Any:
    try:
        async with asyncio.timeout(timeout_s):
            return await caller.read()
    except TimeoutError:
        raise TimeLimit(f"no audio for {timeout_s:g} s; half-close a clip that is over") from None
