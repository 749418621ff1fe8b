"""The cards that ship tell the figures that were measured, all of them and no others."""

import json

import pytest

from facestream_bench.card import filled
from tests.docs.markdown import ROOT

CARDS = {
    "live": ("models/facestream_models/live/card_template.md", "quality.json", "quality.prompts.accuracy"),
    "deeptalk-compact": (
        "models/facestream_models/deeptalk/card_template.md",
        "deeptalk.json",
        "deeptalk.generator.preset.accuracy",
    ),
}
"""Bundle -> template, result file, and a figure that its card tells."""


@pytest.mark.parametrize("bundle", list(CARDS))
def test_a_card_tells_the_measured_figures(bundle: str) -> None:
    template, results, told = CARDS[bundle]
    card = (ROOT / "models" / "facestream_bundles" / bundle / "card.md").read_text(encoding="utf-8")
    form = (ROOT / template).read_text(encoding="utf-8")
    figures = json.loads((ROOT / "benchmarks" / "results" / results).read_text(encoding="utf-8"))["figures"]
    assert card == filled(form, figures)
    assert card != filled(form, figures | {told: figures[told] + 0.01})
