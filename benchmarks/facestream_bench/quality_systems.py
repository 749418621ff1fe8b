"""What quality compares: the bundle's network, the whole product path, and jaws driven by loudness."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.engines.bundle import Bundle
from facestream_models.corpus.coarticulation import CURVES
from facestream_models.metrics.accuracy import likeliest

STEP = 320
"""Samples at 16 kHz from one scored frame to the next."""
HOPS_A_CALL = 50


class Heard(NamedTuple):
    """`curves` [F, 15] at 0, 20, 40 ... ms of the clip (look-ahead taken out); `classes` [F] if it has any."""

    curves: NDArray[np.float32]
    classes: NDArray[np.int64] | None


System = Callable[[NDArray[np.float32]], Heard]


def speech_columns() -> NDArray[np.float32]:
    """Matrix `[52, 15]` that spreads each speech curve over the ARKit weights it stands for."""
    matrix = np.zeros((len(ARKIT_NAMES), len(CURVES)), np.float32)
    for column, name in enumerate(CURVES):
        names = [name] if name in INDEX else [name + "Left", name + "Right"]
        matrix[[INDEX[one] for one in names], column] = 1.0
    return matrix


def curves_of(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Speech curves [F, 15] of ARKit weights [F, 52]: the mean of both sides."""
    columns = speech_columns()
    curves: NDArray[np.float32] = (weights @ (columns / columns.sum(axis=0))).astype(np.float32)
    return curves


class BundleNetwork:
    """The network of a bundle alone: its motion solved back to speech curves through the head's profile."""

    def __init__(self, folder: Path, head: Path) -> None:
        bundle = Bundle.open(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(bundle.graph_path), options, providers=["CPUExecutionProvider"])
        self.states = {spec.name: tuple(spec.shape) for spec in bundle.live.states}
        self.late = bundle.live.lookahead_samples // STEP
        self.hop = bundle.live.hop_samples
        with np.load(head / "rig_profile.npz", allow_pickle=False) as profile:
            rows = [str(name) for name in profile["row_names"]]
            wanted = motion_rows(rows, bundle.manifest.outputs.extras)
            to_motion = profile["arkit_to_motion"][wanted] @ speech_columns()
        self.to_curves = np.linalg.pinv(to_motion.astype(np.float64))

    def __call__(self, audio: NDArray[np.float32]) -> Heard:
        motion, phones = self.motion(audio)
        return Heard((motion @ self.to_curves.T).astype(np.float32), likeliest(phones))

    def motion(self, audio: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Motion [F, D] and class probabilities [F, P] at 0, 20, 40 ... ms."""
        frames = len(audio) // STEP + 1
        hops = -(-(frames + self.late) * STEP // self.hop)
        padded = np.zeros(hops * self.hop, np.float32)
        padded[: len(audio)] = audio
        state = {name: np.zeros((1, *shape), np.float32) for name, shape in self.states.items()}
        names = [output.name for output in self.session.get_outputs()]
        motion, phones = [], []
        for first in range(0, len(padded), self.hop * HOPS_A_CALL):
            pcm = padded[None, first : first + self.hop * HOPS_A_CALL]
            found = dict(zip(names, self.session.run(None, {"pcm": pcm, **state}), strict=True))
            motion.append(found["motion"][0])
            phones.append(found["phone"][0])
            state = {name: found[f"next_{name}"] for name in state}
        kept = slice(self.late - 1, self.late - 1 + frames)
        return np.concatenate(motion)[kept], np.concatenate(phones)[kept]


def motion_rows(row_names: list[str], extras: list[str]) -> list[int]:
    """Rows of a rig profile that a live network's motion consists of: expression, jaw, extras."""
    leading = [n for n, name in enumerate(row_names) if name.startswith(("expression", "jaw"))]
    return leading + [row_names.index(name) for name in extras]


class Product:
    """The path a client gets: network, retargeting, polish (blinks and gaze off), frames at 50 Hz.

    `sampled` draws the codes of a model that has some, at the temperature it was trained at.
    """

    def __init__(self, folder: Path, *, sampled: bool = False) -> None:
        from facestream.acting import ActingChange, Sampling
        from facestream.polish.options import PolishOptions
        from facestream.serving.live_stream import StreamOptions
        from facestream.serving.pipelines import open_pipeline
        from facestream.timebase import FrameRate

        self.pipeline = open_pipeline(str(folder))
        self.options = StreamOptions(
            sample_rate_hz=16_000,
            frame_rate=FrameRate(50),
            seed=1,
            polish=PolishOptions(blinks=False, gaze=False),
            acting=ActingChange(codes=Sampling()) if sampled else None,
        )

    def __call__(self, audio: NDArray[np.float32]) -> Heard:
        return Heard(curves_of(self.weights(audio)), None)

    def weights(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """ARKit weights [F, 52] at 0, 20, 40 ... ms."""
        from facestream.serving.clip import animate

        return animate(audio, self.options, self.pipeline).weights[: len(audio) // STEP + 1]


def loudness_jaw(audio: NDArray[np.float32]) -> Heard:
    """The jaw opens with the loudness of the last 40 ms and nothing else moves; `[F, 15]`."""
    frames = len(audio) // STEP + 1
    energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    last = np.minimum(np.arange(frames) * STEP + STEP, len(audio))
    first = np.maximum(last - 2 * STEP, 0)
    level = np.sqrt((energy[last] - energy[first]) / np.maximum(last - first, 1))
    curves = np.zeros((frames, len(CURVES)), np.float32)
    curves[:, CURVES.index("jawOpen")] = np.clip(0.5 * level / max(float(np.percentile(level, 95)), 1e-4), 0.0, 1.0)
    return Heard(curves, None)


class Weights:
    """A training run's `weights.pt`, without bundle or runtime; needs torch."""

    def __init__(self, path: Path) -> None:
        import torch

        from facestream_models.live.weights import load_network

        self.torch = torch
        self.network = load_network(path)

    def __call__(self, audio: NDArray[np.float32]) -> Heard:
        from facestream_models.live.network import hear_clip

        output = hear_clip(self.network, self.torch.from_numpy(audio.copy()))
        return Heard(output.curves[0].numpy(), likeliest(self.torch.softmax(output.logits[0], dim=1).numpy()))
