"""Figures of the compiled client come from its report and from the fuzzer's log."""

import pytest

from facestream.errors import FacestreamError
from facestream_bench.client_cpp import fuzzed, speaker_of

REPORT = {
    "frame_rate": [30, 1],
    "sample_rate_hz": 16000,
    "stream_id": "a",
    "model": "live",
    "model_version": "1",
    "latency_samples": 960,
    "seed": 1,
    "started_s": 5.0,
    "sent": [[640, 5.04], [1280, 5.08], [1920, 5.12]],
    "decoded_s": [5.09, 5.13],
    "frames": [{"index": 0}, {"index": 1}],
}


def test_a_report_is_a_speaker_like_any_other() -> None:
    added_s = speaker_of(REPORT).added_s()
    assert added_s == pytest.approx([0.01, 0.01]), "each from the chunk that holds its last needed sample"


def test_a_fuzzers_log_tells_its_end_and_its_findings() -> None:
    clean = "#1 INITED\nDone 695247 runs in 621 second(s)\n"
    assert fuzzed(clean) == {"fuzz_inputs": 695247.0, "fuzz_s": 621.0, "fuzz_findings": 0}
    found = "==17== ERROR: libFuzzer: deadly signal\nSUMMARY: libFuzzer: deadly signal\n"
    assert fuzzed(found)["fuzz_findings"] > 0
    with pytest.raises(FacestreamError, match="no end"):
        fuzzed("#1 INITED\n")
