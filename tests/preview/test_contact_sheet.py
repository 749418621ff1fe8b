import numpy as np
import pytest
from PIL import Image

from facestream.curves import CURVE_COUNT
from facestream.errors import InvalidValue, NotFound
from facestream.preview.contact_sheet import contact_sheet, write_contact_sheet
from facestream.preview.moments import Caption, Shown, choose_moments
from facestream.timebase import FrameRate
from facestream.types import Frames
from facestream_bench.plausible_faces import moving_faces

FRAMES = moving_faces(45, np.random.default_rng(0))
TIMES = (np.arange(45) / 30).astype(np.float32)
SMALL = {"tile_size": 48, "columns": 3}


def test_shows_each_moment_and_tells_progress():
    told = []
    sheet = contact_sheet(
        FRAMES, TIMES, [Shown(3, "m"), Shown(20, "aa"), Shown(44, "f"), Shown(44, "v")], progress=told.append, **SMALL
    )
    assert told == [1, 2, 3, 4]
    pixels = np.asarray(sheet)
    # The third and the fourth tile show one frame: below each other, the same picture.
    third, fourth = (np.asarray(sheet.crop((x, y, x + 48, y + 48))) for x, y in ((20 + 2 * 54, 20), (20, 20 + 48 + 40)))
    np.testing.assert_array_equal(third, fourth)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500


def test_curves_are_drawn_where_they_are_high():
    still, raised = np.zeros((2, 30, CURVE_COUNT), np.float32)
    raised[15:, 17] = 1
    sheets = [
        np.asarray(contact_sheet(take, TIMES[:30], [Shown(0, "")], curves=["jawOpen"], **SMALL)).astype(int)
        for take in (still, raised)
    ]
    where = np.argwhere(np.abs(sheets[0] - sheets[1]).max(axis=2) > 30)
    assert len(where) > 50
    panel = where[where[:, 0] > 110]
    assert panel[:, 1].min() > 20 + 150 + (640 - 190) * 0.4


def test_writes_a_png_of_a_take(tmp_path):
    path = tmp_path / "sheet.png"
    captions = [Caption(0.2, 0.4, "m", "me"), Caption(0.4, 0.7, "iy", "me")]
    pcm = np.sin(np.arange(24_000) * 0.05).astype(np.float32)
    write_contact_sheet(path, Frames(0, FRAMES), FrameRate(30), captions=captions, pcm=pcm, title="me")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width >= 640


def test_chooses_telling_phones_first_and_keeps_time():
    captions = [Caption(0.1 * i, 0.1 * i + 0.1, phone) for i, phone in enumerate(["k", "m", "t", "aa", "m", "f"])]
    chosen = choose_moments(TIMES, captions, 3)
    assert [moment.caption for moment in chosen] == ["m", "aa", "f"]
    assert [moment.frame for moment in chosen] == sorted(moment.frame for moment in chosen)
    assert len(choose_moments(TIMES, captions, 99)) == 6


def test_without_captions_frames_are_spread_evenly():
    assert [moment.frame for moment in choose_moments(TIMES, [], 3)] == [0, 22, 44]
    assert len(choose_moments(TIMES[:2], [Caption(9, 9.1, "m")], 5)) == 2


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"weights": FRAMES[:, :51]}, InvalidValue, "weights: got shape"),
        ({"weights": FRAMES[:0], "times_s": TIMES[:0]}, InvalidValue, "at least one frame"),
        ({"times_s": TIMES[:5]}, InvalidValue, "times_s: got shape"),
        ({"shown": []}, InvalidValue, "shown: got no frame"),
        ({"shown": [Shown(45, "")]}, InvalidValue, "frame 45; allowed: 0 to 44"),
        ({"curves": ["earWiggle"]}, NotFound, "'earWiggle'"),
        ({"columns": 0}, InvalidValue, "columns: got 0"),
    ],
)
def test_what_does_not_fit_is_named(change, error, said):
    arguments = {"weights": FRAMES, "times_s": TIMES, "shown": [Shown(0, "")]} | change
    with pytest.raises(error, match=said):
        contact_sheet(**arguments)


def test_an_empty_take_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="a take of 0 frames"):
        write_contact_sheet(tmp_path / "x.png", Frames(0, FRAMES[:0]), FrameRate(30))
