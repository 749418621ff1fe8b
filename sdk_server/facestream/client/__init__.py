"""Clients of a facestream server: asyncio, plain, and the clock that plays frames in step with sound."""

from facestream.acting import Emotion, Sampling
from facestream.client.async_client import AsyncClient, Clip
from facestream.client.options import ModelInfo, Pcm, StreamInfo, StreamOptions
from facestream.client.pace import at_live_pace
from facestream.client.playback import Face, PlaybackClock
from facestream.client.stream import AnimationStream
from facestream.client.sync_client import Client, SyncStream

__all__ = [
    "AnimationStream",
    "AsyncClient",
    "Client",
    "Clip",
    "Emotion",
    "Face",
    "ModelInfo",
    "Pcm",
    "PlaybackClock",
    "Sampling",
    "StreamInfo",
    "StreamOptions",
    "SyncStream",
    "at_live_pace",
]
