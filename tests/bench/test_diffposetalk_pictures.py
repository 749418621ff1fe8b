import numpy as np
import pytest

from facestream.acting import ActingChange
from facestream.preview.moments import Caption
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream_bench import diffposetalk_curves as curves
from facestream_bench.acted_sheet import acted_sheet
from facestream_bench.diffposetalk_speed import measure_line, measure_recording
from tests.diffposetalk.tiny_bundle import STYLES, tiny_folder
from tests.serving.streams import babble


def test_curves_are_drawn_where_they_are_and_seams_behind_them():
    frames = 251
    head = np.zeros((frames, 3), np.float32)
    head[:, 0], head[:, 1], head[:, 2] = 3.0, -2.0, 0.5
    panel = curves.Panel("a head", head, np.array([100]))
    picture = np.asarray(curves.curves_picture([panel, panel._replace(seams=np.zeros(0, np.intp))])).astype(int)
    assert picture.shape == (2 * curves._HEIGHT, curves._WIDTH, 3)

    def rows_of(ink, column):
        near = np.abs(picture[:, column] - ink).sum(axis=1) < 60
        return np.flatnonzero(near)

    middle = (curves._TOP + curves._HEIGHT - 22) / 2
    for degrees, (_, ink) in zip((3.0, -2.0, 0.5), curves._AXES, strict=True):
        height = (curves._HEIGHT - 22 - curves._TOP) / 2 * degrees / 3.0
        above, below = rows_of(ink, 700)[[0, -1]]
        assert above == pytest.approx(middle - height, abs=3)
        assert below == pytest.approx(middle - height + curves._HEIGHT, abs=3)
    column = curves._LEFT + (curves._WIDTH - 12 - curves._LEFT) * 100 // 250
    seam = (np.array(curves._PAPER) - picture[:, column - 1 : column + 2]).sum(axis=2).max(axis=1) > 40
    assert seam[: curves._HEIGHT].sum() > 100
    assert seam[curves._HEIGHT :].sum() < 20, "the lines of angles alone"


@pytest.mark.slow
def test_styles_differ_in_the_sheet_and_heads_are_turned():
    pipeline = open_pipeline(str(tiny_folder()))
    acts = {name: ActingChange(styling=StylingChange(style=name)) for name in STYLES[:2]}
    acts["held"] = ActingChange(styling=StylingChange(style=STYLES[0], head_amount=0.0))
    sheet = np.asarray(acted_sheet(pipeline, acts, (babble(1, 16_000, 1.0), 16_000), [Caption(0.5, 0.6, "a")],
                                   columns=1, tile_size=40))  # fmt: skip
    tiles = sheet[-120:, -40:].reshape(3, 40, 40, 3)
    assert not np.array_equal(tiles[0], tiles[1])
    assert not np.array_equal(tiles[0], tiles[2])


@pytest.mark.slow
def test_lines_are_timed_through_a_server():
    folder, speech = str(tiny_folder()), babble(1, 16_000, 2.0)
    figures = measure_line(folder, speech, 1, STYLES[0])
    assert 0.0 < figures["at_once.first_frame_ms"] <= 1000.0 * figures["at_once.last_frame_s"]
    assert figures["pace_4.last_frame_s"] >= 0.4, "the last chunk of 2 s leaves after 1.9 / 4 s"
    assert figures["resident_mb"] > 0.0
    figures = measure_recording(folder, speech, STYLES[0], [30])
    assert figures["steps_30.real_time_factor"] > figures["real_time_factor"] > 0.0
