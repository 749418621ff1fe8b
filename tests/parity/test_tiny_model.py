"""ONNX Runtime against the same network written out in numpy, and the pipeline against the steps it is made of."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from facestream.engines.bundle import Bundle
from facestream.engines.onnx import OnnxEngine
from facestream.types import Float32
from tests.engines.tiny_model import HOP, WIDTH, write_tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.open(write_tiny_bundle(tmp_path_factory.mktemp("tiny")))


def in_numpy(path: Path, pcm: Float32) -> tuple[Float32, Float32]:
    """Motion and phone classes `[S, ...]` of a fresh stream, straight from the formulas."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    signal = np.abs(pcm.reshape(-1, HOP).astype(np.float64) @ tensors["basis"])
    for layer in ("first", "second"):
        history = np.concatenate((np.zeros((2, WIDTH)), signal))
        kernel = tensors[f"{layer}_kernel"]
        signal = np.tanh(sum(history[tap : tap + len(signal)] @ kernel[:, :, tap].T for tap in range(3)))
    logits = signal @ tensors["to_phone"]
    phone = np.exp(logits - logits.max(axis=1, keepdims=True))
    return signal @ tensors["to_motion"], phone / phone.sum(axis=1, keepdims=True)


def test_the_engine_computes_what_the_formulas_say(bundle: Bundle) -> None:
    pcm = np.random.default_rng(4).normal(0, 0.1, HOP * 40).astype(np.float32)
    engine = OnnxEngine(bundle)
    motion, phone = in_numpy(bundle.graph_path, pcm)
    output = engine.step(pcm[None], engine.model.fresh_state(1))
    np.testing.assert_allclose(output.motion[0], motion, atol=1e-5)
    np.testing.assert_allclose(output.phone[0], phone, atol=1e-5)
    # the control: a network that looks one hop further back is told apart
    shifted, _ = in_numpy(bundle.graph_path, np.roll(pcm, HOP))
    assert np.abs(output.motion[0] - shifted).max() > 1e-2
