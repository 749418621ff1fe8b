import shutil

import pytest

from facestream.engines.bundle import Bundle, shipped_folder
from facestream.errors import BundleError
from facestream_bench.card import filled, put_into


def test_figures_take_their_places():
    template = "closes {a.closure:.2f} of {a.count:.0f} {words}, {a.intensity_1.0:.3f} off, |{b.fall:.1f}|{b.lag:.0f}"
    figures = {"a.closure": 0.957, "a.count": 478.0, "a.intensity_1.0": 12.5, "b.fall": -0.5, "b.lag": -0.2}
    assert filled(template, figures) == "closes .96 of 478 {words}, 12.500 off, |-0.5|0", "no -0"


def test_a_figure_that_was_not_measured_is_named():
    with pytest.raises(ValueError, match=r"a\.closure"):
        filled("{a.closure:.2f} {a.count:.0f}", {"a.count": 1.0})


def test_a_bundle_takes_its_card_anew_and_nothing_else_changes(tmp_path):
    bundle = tmp_path / "live"
    shutil.copytree(shipped_folder() / "live", bundle)
    before = Bundle.open(bundle).manifest
    put_into(bundle, "# live\n\nMeasured again.\n")
    after = Bundle.open(bundle).manifest
    changed = {name for name in before.files if before.files[name] != after.files[name]}
    assert changed == {"card.md"}
    assert after.model_dump(exclude={"files"}) == before.model_dump(exclude={"files"})
    with pytest.raises(BundleError):
        put_into(tmp_path, "# none\n")
