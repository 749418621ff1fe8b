"""Audio of one ACE call between its client, the model and the answer.

A client may send its whole clip before it reads a single answer, so a call never stops reading. What it has read lies
here as it came: the model takes it from here as it has room, and every frame takes its slice of it back to the client,
after which it is forgotten. How much may lie here is bounded twice: for a call by the length of a clip, for all calls
together by a budget in bytes.
"""

import asyncio

from facestream.errors import AudioError, Busy, FacestreamError

BYTES_PER_SAMPLE = 2
LONGEST_BUFFER_S = 10
"""Of one message, as NVIDIA's server takes it (`max_audio_buffer_size_second`)."""


class UploadBudget:
    """Bytes that the calls of a server may hold together."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.held_bytes = 0

    def take(self, count: int) -> None:
        """Hold so many more bytes, or raise `Busy`."""
        if self.held_bytes + count > self._limit_bytes:
            raise Busy(
                f"uploads that wait fill the {self._limit_bytes} bytes this server keeps for them (ace_upload_bytes); "
                "read answers while you send, or try again later"
            )
        self.held_bytes += count

    def give_back(self, count: int) -> None:
        self.held_bytes -= count


class Upload:
    """16-bit mono samples, addressed by their number in the clip. Used on the event loop only."""

    def __init__(self, sample_rate_hz: int, longest_s: float, budget: UploadBudget) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.received_samples = 0
        self.has_ended = False
        self._longest_s = longest_s
        self._budget = budget
        self._bytes = bytearray()
        self._first = 0
        """Number of the first sample that is still here."""
        self._fed = 0
        self._answered = 0
        self._failure: FacestreamError | None = None
        self._changed = asyncio.Event()

    def append(self, data: bytes) -> None:
        """Take what the client sent. Raises `AudioError` for parts of samples and too much audio, `Busy` as the budget
        does.
        """
        if len(data) % BYTES_PER_SAMPLE:
            raise AudioError("audio_with_emotion.audio_buffer", f"{len(data)} bytes", "whole samples of 2 bytes each")
        count = len(data) // BYTES_PER_SAMPLE
        if count > LONGEST_BUFFER_S * self.sample_rate_hz:
            received = f"{count / self.sample_rate_hz:.1f} s in one message"
            raise AudioError("audio_with_emotion.audio_buffer", received, f"at most {LONGEST_BUFFER_S} s")
        if self.received_samples + count > self._longest_s * self.sample_rate_hz:
            received = f"more than {self._longest_s:g} s in one call"
            allowed = f"at most {self._longest_s:g} s (ace_clip_bound_s); a sentence a call is best"
            raise AudioError("audio_with_emotion.audio_buffer", received, allowed)
        self._budget.take(len(data))
        self._bytes += data
        self.received_samples += count
        self._changed.set()

    def end(self) -> None:
        """No more audio."""
        self.has_ended = True
        self._changed.set()

    def close(self, failure: FacestreamError) -> None:
        """Forget everything; whoever waits for audio gets `failure`. Safe more than once."""
        self._failure = self._failure or failure
        self._budget.give_back(len(self._bytes))
        self._bytes.clear()
        self._first = self.received_samples
        self._changed.set()

    async def beginning(self, sample_count: int) -> bytes:
        """The first samples of the clip, as soon as there are so many, or all of a clip that is shorter.

        Raises `AudioError` for a clip without any.
        """
        await self._wait_for(sample_count)
        if not self.received_samples:
            raise AudioError("audio_with_emotion.audio_buffer", "no samples before the end", "at least one sample")
        return bytes(self._bytes[: sample_count * BYTES_PER_SAMPLE])

    async def next_piece(self, most_samples: int) -> bytes:
        """What the model has not been fed yet, in order; nothing once everything has been."""
        await self._wait_for(self._fed + 1)
        begin, end = self._fed, min(self._fed + most_samples, self.received_samples)
        piece = self._between(begin, end)
        self._fed = end
        self._forget()
        return piece

    def answer(self, begin: int, end: int) -> bytes:
        """The samples of a frame, silence where the clip is over; what lies before `end` is not asked for again."""
        known = self._between(min(begin, self.received_samples), min(end, self.received_samples))
        self._answered = min(end, self.received_samples)
        self._forget()
        return known.ljust((end - begin) * BYTES_PER_SAMPLE, b"\0")

    async def _wait_for(self, sample_count: int) -> None:
        while self._failure is None and self.received_samples < sample_count and not self.has_ended:
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    def _between(self, begin: int, end: int) -> bytes:
        return bytes(self._bytes[(begin - self._first) * BYTES_PER_SAMPLE : (end - self._first) * BYTES_PER_SAMPLE])

    def _forget(self) -> None:
        count = (min(self._fed, self._answered) - self._first) * BYTES_PER_SAMPLE
        if count > 0:
            del self._bytes[:count]  # from the front, which costs a bytearray nothing
            self._first += count // BYTES_PER_SAMPLE
            self._budget.give_back(count)
