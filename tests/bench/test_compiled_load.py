"""The compiled client is a speaker like any other, seen from the server and in the figures."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facestream.client import StreamOptions
from facestream.errors import FacestreamError
from facestream.v1.config_pb2 import FrameRate
from facestream.v1.stream_started_pb2 import StreamStarted
from facestream_bench.compiled_load import build_client, compiled_crowd, speakers_of
from facestream_bench.server_process import running_server
from facestream_bench.speech import speech_of

ROOT = Path(__file__).resolve().parents[2]
STARTED = StreamStarted(stream_id="a", frame_rate=FrameRate(numerator=30, denominator=1), latency_samples=960)


def test_what_the_client_writes_is_read_as_it_was_meant() -> None:
    told = (
        f"speaker 5.0 {STARTED.SerializeToString().hex()}\nsent 640 5.04\nsent 1280 5.08\nframes 5.09 0 2\nend 0 \n"
        f"speaker 5.5 {STARTED.SerializeToString().hex()}\nsent 640 5.54\nend 0 \n"
    )
    first, second = speakers_of(told, 16_000)
    assert (first.started_s, first.sent_samples, first.sent_s, first.arrivals) == (
        5.0, [640, 1280], [5.04, 5.08], [(5.09, 0, 2)]
    )  # fmt: skip
    assert first.info is not None
    assert (first.info.latency_samples, first.info.clock.sample_of(3)) == (960, 1600)
    assert second.arrivals == []


def test_a_call_that_ends_badly_is_an_error_and_no_figure() -> None:
    with pytest.raises(FacestreamError, match="status 8: all 64 places are taken"):
        speakers_of("speaker 0.0 \nend 8 all 64 places are taken\n", 16_000)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("grpc_cpp_plugin") is None, reason="the packages of the compiled client are missing")
@pytest.mark.parametrize("fronts", [1, 2])
def test_a_compiled_crowd_gets_every_frame_in_order(fronts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pcm, options = speech_of(3.0), StreamOptions(sample_rate_hz=16_000)
    monkeypatch.setattr("facestream_bench.compiled_load.STREAMS_A_PROCESS", 4 // fronts)
    with running_server("live", max_streams=4, front_processes=fronts) as server:
        speakers, used_s = compiled_crowd(server.address, pcm, options, 4, connections=fronts)
        with pytest.raises(FacestreamError, match="places"):
            compiled_crowd(server.address, pcm, options, 5)
    assert 0 < used_s < 3
    for speaker in speakers:
        assert speaker.sent_samples[-1] == len(pcm)
        ends = np.cumsum([0, *(count for _, _, count in speaker.arrivals)])
        assert [first for _, first, _ in speaker.arrivals] == ends[:-1].tolist(), "no frame lost, none twice"
        assert ends[-1] == speaker.expected_count() + 9, "and 300 ms of rest"
        assert np.all(np.diff([time_s for time_s, _, _ in speaker.arrivals]) >= 0)
    assert len({tuple(speaker.sent_s) for speaker in speakers}) == 4


@pytest.fixture
def _looked_at_anew() -> Iterator[None]:
    build_client.cache_clear()
    yield
    build_client.cache_clear()


@pytest.mark.usefixtures("_looked_at_anew")
def test_a_client_that_is_not_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAD_CLIENT", "/nowhere/facestream-load")
    with pytest.raises(FacestreamError, match=r"LOAD_CLIENT: no program at /nowhere/facestream-load; make one"):
        build_client()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("grpc_cpp_plugin") is None, reason="the packages of the compiled client are missing")
@pytest.mark.usefixtures("_looked_at_anew")
def test_a_packed_client_brings_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    subprocess.run([ROOT / "benchmarks/load_client/pack.sh", tmp_path], check=True, capture_output=True)
    program = tmp_path / "facestream-load"
    needed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    elsewhere = [line.split()[0] for line in needed.splitlines() if "=>" in line and str(tmp_path) not in line]
    assert "libgrpc++" in needed
    assert {name.partition(".so")[0] for name in elsewhere} <= {
        "libc",
        "libm",
        "libdl",
        "librt",
        "libpthread",
        "libresolv",
    }
    build_client.cache_clear()
    monkeypatch.setenv("LOAD_CLIENT", str(program))
    assert build_client() == program
    with running_server("live", max_streams=2) as server:
        speakers, _ = compiled_crowd(server.address, speech_of(1.0), StreamOptions(sample_rate_hz=16_000), 2)
    assert all(speaker.arrivals for speaker in speakers)
