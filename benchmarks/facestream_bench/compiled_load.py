"""The crowd of `live_load`, spoken by a compiled client, as a game's would be: `benchmarks/load_client`.

A Python client of 64 streams takes a third of two cores, mostly in grpc's own machinery; the compiled one takes a
twelfth, so that the figures are the server's. It is built on first use and needs what `PACKAGES` names.
"""

import functools
import math
import os
import resource
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from facestream.client import StreamOptions
from facestream.client.messages import info_of
from facestream.errors import FacestreamError
from facestream.types import Float32
from facestream.v1.audio_pb2 import AudioEncoding
from facestream.v1.stream_started_pb2 import StreamStarted
from facestream_bench.live_load import Speaker

PACKAGES = ("cmake", "g++", "libgrpc++-dev", "libprotobuf-dev", "protobuf-compiler", "protobuf-compiler-grpc")
"""Of Debian 12 or later."""
STREAMS_A_PROCESS = 400
"""Of the client: each is one thread, which takes a third of a core for them (2026-11-22)."""
_SOURCES = Path(__file__).resolve().parents[1] / "load_client"
_BUILD = _SOURCES / "build"


@functools.cache
def build_client() -> Path:
    """The program: that of the environment's `LOAD_CLIENT` (`load_client/pack.sh` makes one), or built where it is
    missing or older than its sources. Looked at once. Raises `FacestreamError`.
    """
    if given := os.environ.get("LOAD_CLIENT"):
        if not os.access(given, os.X_OK):
            raise FacestreamError(f"LOAD_CLIENT: no program at {given}; make one with benchmarks/load_client/pack.sh")
        return Path(given)
    for command in (["cmake", "-S", str(_SOURCES), "-B", str(_BUILD)], ["cmake", "--build", str(_BUILD)]):
        try:
            built = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise FacestreamError(f"the compiled client needs: apt-get install {' '.join(PACKAGES)}") from None
        if built.returncode:
            last = "\n".join((built.stdout + built.stderr).strip().splitlines()[-10:])
            raise FacestreamError(f"the compiled client needs: apt-get install {' '.join(PACKAGES)}\n{last}")
    return _BUILD / "facestream-load"


def compiled_crowd(
    address: str, pcm: Float32, options: StreamOptions, count: int, *, seed: int = 0, connections: int = 1
) -> tuple[list[Speaker], float]:
    """`count` speakers as in `live_load.crowd`, and the processor time of the client in seconds.

    They take turns in sharing the `connections`. Raises `FacestreamError` where the client can not be built, and where
    a call ends with an error.
    """
    program = build_client()
    config = options.config()
    config.audio_format.encoding = AudioEncoding.AUDIO_ENCODING_S16LE
    seconds = len(pcm) // options.sample_rate_hz
    processes = math.ceil(count / STREAMS_A_PROCESS)
    with tempfile.TemporaryDirectory() as folder:
        speech, asked = Path(folder, "speech.pcm"), Path(folder, "config.bin")
        speech.write_bytes(np.clip(np.rint(pcm * 32768), -32768, 32767).astype("<i2").tobytes())
        asked.write_bytes(config.SerializeToString())

        def speak(process: int) -> "subprocess.CompletedProcess[str]":
            share = [len(range(process, whole, processes)) for whole in (count, connections)]
            words = [address, *share, seconds, seed + process, speech, asked]
            return subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)

        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with ThreadPoolExecutor(processes) as threads:
            all_told = list(threads.map(speak, range(processes)))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    speakers: list[Speaker] = []
    for told in all_told:
        if told.returncode:
            raise FacestreamError(f"the compiled client failed: {told.stderr.strip()}")
        speakers += speakers_of(told.stdout, options.sample_rate_hz)
    return speakers, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def speakers_of(told: str, sample_rate_hz: int) -> list[Speaker]:
    """What the client wrote, as `load.cc` describes it. Raises `FacestreamError` for a call that ended badly."""
    speakers: list[Speaker] = []
    for line in told.splitlines():
        kind, first, *rest = line.split(maxsplit=3)
        match kind:
            case "speaker":
                started = StreamStarted.FromString(bytes.fromhex(rest[0]) if rest else b"")
                speakers.append(Speaker(float(first), info=info_of(started, sample_rate_hz) if rest else None))
            case "sent":
                speakers[-1].sent_samples.append(int(first))
                speakers[-1].sent_s.append(float(rest[0]))
            case "frames":
                speakers[-1].arrivals.append((float(first), int(rest[0]), int(rest[1])))
            case "end" if first != "0":
                raise FacestreamError(f"a stream of the load ended with status {first}: {' '.join(rest)}")
    return speakers
