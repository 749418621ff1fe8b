"""The client for code without asyncio: the same calls, made from any thread.

    with Client("localhost:50051") as client:
        clip = client.animate_clip(pcm, sample_rate_hz=16000)
        print(clip.frames.weights.shape)

A private thread runs the asyncio client; nothing here holds logic of its own.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from facestream.acting import Emotion, Sampling
from facestream.client.async_client import AsyncClient, Clip
from facestream.client.options import ModelInfo, Pcm, StreamInfo, StreamOptions
from facestream.client.stream import AnimationStream
from facestream.events import StreamEvent
from facestream.styling import StylingChange
from facestream.types import Frames

_T = TypeVar("_T")


class _LoopThread:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="facestream-client", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run to the end and return its result, or raise what it raised."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """Stop the loop and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Client:
    """A connection to one server, for use with `with`. See `AsyncClient`."""

    def __init__(self, target: str, *, token: str | None = None, root_certificate: Path | None = None) -> None:
        self._client = AsyncClient(target, token=token, root_certificate=root_certificate)
        self._thread = _LoopThread()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End every call, the connection and the thread."""
        self._thread.run(self._client.close())
        self._thread.close()

    def models(self, *, timeout_s: float = 10.0) -> list[ModelInfo]:
        """What the server can do; the first is its default."""
        return self._thread.run(self._client.models(timeout_s=timeout_s))

    def animate(self, options: StreamOptions | None = None, *, resume: bool = True, **fields: Any) -> "SyncStream":
        """A live stream, opened by `with`. Options as one object or as its fields."""
        return SyncStream(self._client.animate(options, resume=resume, **fields), self._thread)

    def animate_clip(
        self,
        pcm: Pcm,
        options: StreamOptions | None = None,
        *,
        on_frames: Callable[[Frames], None] | None = None,
        **fields: Any,
    ) -> Clip:
        """Animate a whole recording; `on_frames` is called on the client's thread."""
        return self._thread.run(self._client.animate_clip(pcm, options, on_frames=on_frames, **fields))

    def hear_emotion(self, pcm: Pcm, options: StreamOptions | None = None, **fields: Any) -> Emotion:
        """The emotion of a reference clip, for `emotion=` of any call."""
        return self._thread.run(self._client.hear_emotion(pcm, options, **fields))


class SyncStream:
    """A live stream without asyncio. One thread may send while another iterates. See `AnimationStream`."""

    def __init__(self, stream: AnimationStream, thread: _LoopThread) -> None:
        self._stream = stream
        self._thread = thread

    def __enter__(self) -> Self:
        self._thread.run(self._stream.__aenter__())
        return self

    def __exit__(self, *exception: object) -> None:
        self._thread.run(self._stream.__aexit__())

    @property
    def info(self) -> StreamInfo:
        """What the server said about this stream."""
        return self._stream.info

    def send(self, pcm: Pcm, *, first_sample: int | None = None) -> None:
        """Send audio; waits while the server takes no more."""
        self._thread.run(self._stream.send(pcm, first_sample=first_sample))

    def control(
        self,
        *,
        at_sample: int | None = None,
        mouth_strength: float | None = None,
        blinks: bool | None = None,
        gaze: bool | None = None,
        emotion: Emotion | str | None = None,
        emotion_spread: float | None = None,
        motion: Sampling | Literal["likeliest"] | None = None,
        speaker: str | None = None,
        styling: StylingChange | None = None,
    ) -> None:
        """Change the motion from `at_sample` on (by default, from the next sample sent)."""
        self._thread.run(
            self._stream.control(
                at_sample=at_sample,
                mouth_strength=mouth_strength,
                blinks=blinks,
                gaze=gaze,
                emotion=emotion,
                emotion_spread=emotion_spread,
                motion=motion,
                speaker=speaker,
                styling=styling,
            )
        )

    def flush(self, marker_id: int) -> None:
        """Ask for a `FlushDone` event behind the last frame of the audio sent so far."""
        self._thread.run(self._stream.flush(marker_id))

    def finish(self) -> None:
        """No more audio: the remaining frames follow, then iteration ends."""
        self._thread.run(self._stream.finish())

    def __iter__(self) -> Iterator[Frames]:
        return (message for message in self.messages() if isinstance(message, Frames))

    def messages(self) -> Iterator[Frames | StreamEvent]:
        """Frames and events in the order in which they belong."""
        source = self._stream.messages()
        while (message := self._thread.run(_next(source))) is not None:
            yield message


async def _next(source: AsyncIterator[Frames | StreamEvent]) -> Frames | StreamEvent | None:
    return await anext(source, None)
