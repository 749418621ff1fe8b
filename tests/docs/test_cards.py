"""The cards that ship tell the figures that were measured, all of them and no others."""

import json

import pytest

from facestream_bench.card import filled
from tests.docs.markdown import ROOT

CARDS = {
    "live": ("models/facestream_models/live/card_template.md", ["quality.json"], "quality.prompts.accuracy"),
    "deeptalk-compact": (
        "models/facestream_models/deeptalk/card_template.md",
        ["deeptalk.json"],
        "deeptalk.generator.preset.accuracy",
    ),
    "diffposetalk-compact": (
        "models/facestream_models/diffposetalk/card_template.md",
        [
            "diffposetalk.json",
            "diffposetalk_steps_2.json",
            "diffposetalk_speed.json",
            "capacity_diffposetalk-compact.steps_2.json",
        ],
        "diffposetalk.retrieval.rank1",
    ),
}
"""Bundle -> template, result files, and a figure that its card tells."""


@pytest.mark.parametrize("bundle", list(CARDS))
def test_a_card_tells_the_measured_figures(bundle: str) -> None:
    template, results, told = CARDS[bundle]
    card = (ROOT / "models" / "facestream_bundles" / bundle / "card.md").read_text(encoding="utf-8")
    form = (ROOT / template).read_text(encoding="utf-8")
    figures: dict[str, float] = {}
    for name in results:
        figures |= json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))["figures"]
    assert card == filled(form, figures)
    assert card != filled(form, figures | {told: figures[told] + 0.01})
