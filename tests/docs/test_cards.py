"""The cards that ship tell the figures that were measured, all of them and no others."""

import json

from facestream_bench.card import filled
from tests.docs.markdown import ROOT

TEMPLATE = ROOT / "models" / "facestream_models" / "live" / "card_template.md"
CARD = ROOT / "models" / "facestream_bundles" / "live" / "card.md"


def test_the_card_of_live_tells_the_measured_figures() -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / "quality.json").read_text())["figures"]
    assert CARD.read_text() == filled(TEMPLATE.read_text(), figures)
    better = figures | {"quality.prompts.accuracy": figures["quality.prompts.accuracy"] + 0.01}
    assert CARD.read_text() != filled(TEMPLATE.read_text(), better)
