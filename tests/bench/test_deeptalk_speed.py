import numpy as np
import pytest

from facestream.acting import ActingChange
from facestream.polish.options import PolishOptions
from facestream.preview.face import FACE, render_face
from facestream.preview.moments import Caption
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.timebase import FrameRate
from facestream_bench.acted_sheet import acted_sheet
from facestream_bench.deeptalk_speed import Subject
from facestream_bench.deeptalk_streams import measure_streams
from facestream_models.export.deeptalk import write_bundle
from tests.deeptalk.tiny_bundle import tiny_compact, tiny_presets
from tests.engines.tiny_deeptalk import write_tiny_deeptalk
from tests.live.tiny import TINY


@pytest.mark.slow
def test_times_add_up_and_graphs_are_equal_to_torch(tmp_path):
    figures = Subject(tiny_compact(), tmp_path, clip_s=1.0).figures(threads=1, runs=2)
    for name, emotion in (("clip", "heard"), ("whole", "whole")):
        parts = sum(figures[f"{part}.median_s"] for part in (f"emotion_{emotion}", "content", "motion"))
        assert figures[f"{name}.real_time_factor"] == pytest.approx(parts / 1.0)
    differences = [value for name, value in figures.items() if name.startswith("largest_difference")]
    states = len(TINY.dilations) + len(TINY.curve_dilations) + 3
    assert len(differences) == 4 + 3 + 2 + states
    assert max(differences) < 1e-4
    assert min(value for name, value in figures.items() if name.endswith("_s")) >= 0.0


def test_streams_are_moved_together_and_counted(tmp_path):
    figures = measure_streams(write_tiny_deeptalk(tmp_path / "tiny"), 3, 2.0)
    assert (figures["streams"], figures["steps"]) == (3.0, 11.0), "13 codes, the last two of which wait for more"
    assert 0.0 < figures["step_cpu.p50_ms"] <= figures["step_cpu.max_ms"]
    assert figures["cores"] > 0.0


@pytest.mark.slow
def test_a_sheet_has_a_row_for_each_emotion_and_a_column_for_each_moment(tmp_path):
    presets = tiny_presets()
    presets["mean"][1:] = -presets["mean"][0]  # as far from the first as can be
    write_bundle(tiny_compact(), presets, tmp_path / "tiny", version="1.0", training={}, card="Random.\n")
    pipeline = open_pipeline(str(tmp_path / "tiny"))
    audio = (0.2 * np.random.default_rng(1).standard_normal(32_000)).astype(np.float32)
    weights = {}
    for name in ("neutral", "sad"):
        options = StreamOptions(
            frame_rate=FrameRate(50),
            polish=PolishOptions(blinks=False, gaze=False),
            acting=ActingChange(emotion=name),
        )
        weights[name] = animate(audio, options, pipeline).weights
    moments = (30, 60)
    captions = [Caption(moment / 50 - 0.01, moment / 50 + 0.01, "m") for moment in moments]
    acts = {name: ActingChange(emotion=name) for name in ("neutral", "sad")}
    sheet = np.asarray(acted_sheet(pipeline, acts, (audio, 16_000), captions, tile_size=40))
    tiles = sheet[-80:, -80:].reshape(2, 40, 2, 40, 3).swapaxes(1, 2)
    assert not np.array_equal(tiles[0], tiles[1])
    for row, name in enumerate(("neutral", "sad")):
        for column, moment in enumerate(moments):
            assert np.array_equal(tiles[row, column], render_face(weights[name][moment], size=40, framing=FACE))
