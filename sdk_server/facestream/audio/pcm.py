"""Bytes from a client to mono float samples. Everything that can be wrong with audio is refused here, once."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from facestream.errors import AudioError
from facestream.types import Float32

MIN_SAMPLE_RATE_HZ = 8_000
MAX_SAMPLE_RATE_HZ = 144_000
MAX_CHANNEL_COUNT = 8
MAX_AMPLITUDE = 100.0
"""Float samples beyond this (40 dB over full scale) are integers in disguise, not audio."""

Encoding = Literal["s16le", "f32le"]
_DTYPES: dict[str, np.dtype[Any]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}


def check_sample_rate(sample_rate_hz: int) -> None:
    """Raise `AudioError` unless the rate is one that can be resampled."""
    if not MIN_SAMPLE_RATE_HZ <= sample_rate_hz <= MAX_SAMPLE_RATE_HZ:
        raise AudioError("sample_rate_hz", sample_rate_hz, f"{MIN_SAMPLE_RATE_HZ} to {MAX_SAMPLE_RATE_HZ}")


def check_samples(samples: Float32, field: str = "audio") -> None:
    """Raise `AudioError` for NaN, infinity, or amplitudes that no audio has."""
    if not samples.size:
        return
    loudest = max(abs(float(samples.max())), abs(float(samples.min())))
    if not loudest <= MAX_AMPLITUDE:  # NaN is never <=
        position = int(np.flatnonzero(~(np.abs(samples) <= MAX_AMPLITUDE))[0])
        raise AudioError(
            field,
            f"{samples.flat[position]} at sample {position}",
            f"finite samples within -1..1 (up to {MAX_AMPLITUDE:g})",
        )


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Interleaved PCM as a client sends it."""

    encoding: Encoding = "s16le"
    sample_rate_hz: int = 16_000
    channel_count: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in get_args(Encoding):
            raise AudioError("encoding", self.encoding, " or ".join(get_args(Encoding)))
        check_sample_rate(self.sample_rate_hz)
        if not 1 <= self.channel_count <= MAX_CHANNEL_COUNT:
            raise AudioError("channel_count", self.channel_count, f"1 to {MAX_CHANNEL_COUNT}")

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample of all channels."""
        return _DTYPES[self.encoding].itemsize * self.channel_count

    def decode(self, data: bytes) -> Float32:
        """Mono samples `[T]`, full scale at 1.0; channels are averaged.

        Raises `AudioError` for a chunk that does not hold whole samples and for samples that are not finite.
        """
        if len(data) % self.bytes_per_sample:
            raise AudioError(
                "audio",
                f"{len(data)} bytes",
                f"a multiple of {self.bytes_per_sample} ({self.encoding}, {self.channel_count} channels)",
            )
        interleaved = np.frombuffer(data, _DTYPES[self.encoding])
        if self.encoding == "s16le":
            samples = interleaved.astype(np.float32)
            samples *= np.float32(1 / 32768)
        else:
            check_samples(interleaved)
            samples = interleaved.astype(np.float32)
        if self.channel_count == 1:
            return samples
        mono: Float32 = samples.reshape(-1, self.channel_count).mean(axis=1, dtype=np.float32)
        return mono
