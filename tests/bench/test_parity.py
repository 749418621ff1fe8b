"""Parity is measured on the real path, and what is planted there is found."""

import argparse
from collections.abc import Mapping

import numpy as np
import pytest

from facestream.engines.base import StepOutput
from facestream.engines.bundle import open_bundle
from facestream.engines.synthetic import SyntheticEngine
from facestream.errors import InvalidValue
from facestream.motion.live import LiveMotion
from facestream.serving.animator import Animator
from facestream.serving.pipeline import Pipeline
from facestream.types import Float32
from facestream_bench import variants
from facestream_bench.chosen_model import add_model
from facestream_bench.parity import batch_differences, differences, pieces_of, weights_of
from facestream_bench.speech import clip_speech
from facestream_bench.torch_engine import TorchEngine
from facestream_bench.variants import REFERENCE, VARIANTS, Variant, add_variants, usable_variants
from facestream_models.export.stored_live import live_graph_of
from tests.transports.loopback import JawSolver

SPEECH = clip_speech()


class LeakyEngine(SyntheticEngine):
    """Each row hears a little of the one before it."""

    def step(self, pcm: Float32, state: Mapping[str, Float32]) -> StepOutput:
        return super().step(pcm + 0.01 * np.roll(pcm, 1, axis=0), state)


@pytest.mark.parametrize(("engine", "is_sound"), [(SyntheticEngine, True), (LeakyEngine, False)])
def test_a_row_that_hears_its_neighbour_is_found(engine: type[SyntheticEngine], is_sound: bool) -> None:
    pipeline = Pipeline(Animator(LiveMotion(engine()), JawSolver()))
    pieces = pieces_of(SPEECH, 4, 1.0)
    found = batch_differences(pipeline, pieces, [4, 2], None)
    assert set(found) == {"batch.rows_2.max", "batch.rows_4.max", "batch.max"}
    assert (found["batch.max"] < 1e-6) == is_sound
    assert found["batch.max"] == max(found.values())
    assert pipeline.open_count == 0


def test_pieces_begin_all_over_the_speech() -> None:
    pieces = pieces_of(SPEECH, 7, 0.5)
    assert {piece.size for piece in pieces} == {8000}
    assert len({piece.tobytes() for piece in pieces}) == 7


def test_differences_are_of_weights() -> None:
    truth = np.zeros((10, 52), np.float32)
    found = truth.copy()
    found[3, 7] = 0.5
    assert differences(found, truth) == {"mean": pytest.approx(0.5 / 520), "p99": 0.0, "max": 0.5}


def test_the_network_in_torch_has_the_weights_of_the_bundle() -> None:
    speech = [SPEECH[:24_000]]
    by_name = {one.name: one for one in VARIANTS}
    truth = weights_of(REFERENCE.open("live"), speech, None)[0]
    assert np.ptp(truth, axis=0).max() > 0.1, "somebody speaks"
    pipeline = by_name["torch.fp32"].open("live")
    assert differences(weights_of(pipeline, speech, None)[0], truth)["max"] < 1e-5
    graph = pipeline.source.engine._graph
    next(graph.network.parameters()).data += 0.05  # one matrix that was not read right would show
    assert differences(weights_of(pipeline, speech, None)[0], truth)["max"] > 1e-3


def test_every_tensor_of_the_network_is_in_the_graph() -> None:
    graph = live_graph_of(open_bundle("live"))
    assert sum(one.numel() for one in graph.network.parameters()) > 3_000_000
    assert TorchEngine(open_bundle("live")).model.name == "live"


def chosen(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_model(parser)
    add_variants(parser)
    return parser.parse_args(words)


def test_what_can_not_be_used_is_noted_or_refused_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "VARIANTS", (REFERENCE, Variant("torch", "fp32")))
    usable, notes = usable_variants(chosen("--model", "deeptalk-compact"))
    assert usable == [REFERENCE]
    assert [note.partition(": ")[0] for note in notes] == ["torch.fp32 was not measured"]
    with pytest.raises(InvalidValue, match=r"onnx-cpu\.fp32"):
        usable_variants(chosen("--variants", "abacus.fp3"))
