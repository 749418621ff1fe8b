"""How fast DEEPTalk's graphs are, at the paper's size and compact, and that they give what torch gives.

    python -m facestream_bench.deeptalk_speed

Writes `benchmarks/results/deeptalk_speed.json`. Weights are random: times do not depend on them. A clip of 10 s goes
through the emotion graph and then the motion graph, as a client's clip does, on two threads at the paper's size and on
one compact. At the paper's size two thirds of the work is hearing the emotion; it is heard in the whole clip (`whole`,
what the released code does) and in 4 s of it (`window`: the embedding is trained on crops of 2 s, the motion is of the
whole clip all the same). `torch` is the same network in torch on as many threads.

Times are of the wall clock, the fastest and the median of several runs; `cpu_s` is the processor time of the fastest
run on one thread, which other work on the machine disturbs less. The real-time factor is of the median.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from facestream_bench.results import write_results
from facestream_models.deeptalk.audio import CODE_SAMPLES, SAMPLE_RATE, pad_to_codes
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.graph import (
    EMOTION_GRAPH,
    MOTION_GRAPH,
    EmotionGraph,
    MotionGraph,
    Network,
    example,
    export_graphs,
)
from facestream_models.deeptalk.system import DeepTalk

CLIP_S = 10
WINDOW_S = 4

Figures = dict[str, float]
Graph = EmotionGraph | MotionGraph
Inputs = Mapping[str, Tensor]


class Subject:
    """A network and its two graphs on disk."""

    def __init__(self, network: Network, folder: Path, clip_s: float = CLIP_S, window_s: float = WINDOW_S) -> None:
        self.folder = folder
        self.graphs = export_graphs(network.eval(), folder)
        self.clip_s = clip_s
        padded = pad_to_codes(torch.zeros(1, round(clip_s * SAMPLE_RATE))).shape[1]
        self.clip = example(network, rows=1, codes=padded // CODE_SAMPLES)
        self.window = {"pcm": self.clip["pcm"][:, : round(window_s * SAMPLE_RATE)]}

    def figures(self, threads: int, runs: int) -> Figures:
        """Times of each part, real-time factors of the clip, and how far the graphs are from torch."""
        parts = {
            "emotion_whole": (EMOTION_GRAPH, self.clip),
            "emotion_window": (EMOTION_GRAPH, self.window),
            "motion": (MOTION_GRAPH, self.clip),
        }
        found: Figures = {"threads": float(threads)}
        for name, (file, inputs) in parts.items():
            found |= {f"{name}.{key}": value for key, value in self._times(file, inputs, threads, runs).items()}
        for name in ("whole", "window"):
            for key in ("median_s", "cpu_s"):
                found[f"{name}.{key}"] = found[f"emotion_{name}.{key}"] + found[f"motion.{key}"]
            found[f"{name}.real_time_factor"] = found[f"{name}.median_s"] / self.clip_s
        found["torch.median_s"] = self._torch_seconds(threads, runs)
        found["torch.real_time_factor"] = found["torch.median_s"] / self.clip_s
        return found | self._differences()

    def _times(self, file: str, inputs: Inputs, threads: int, runs: int) -> Figures:
        given = self._given(file, inputs)
        session = self._session(file, threads)
        wall = _seconds(lambda: session.run(None, given), runs, time.perf_counter)
        alone = session if threads == 1 else self._session(file, 1)
        cpu = _seconds(lambda: alone.run(None, given), runs, time.process_time)
        return {"median_s": statistics.median(wall), "fastest_s": min(wall), "cpu_s": min(cpu)}

    def _torch_seconds(self, threads: int, runs: int) -> float:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)

        def clip() -> None:
            for graph in self.graphs.values():
                graph(*(self.clip[name] for name in graph.inputs))

        with torch.no_grad():
            seconds = _seconds(clip, runs, time.perf_counter)
        torch.set_num_threads(before)
        return statistics.median(seconds)

    def _differences(self) -> Figures:
        """Largest difference between graph and torch of each output on the whole clip."""
        found: Figures = {}
        for file, graph in self.graphs.items():
            ours = self._session(file, 1).run(list(graph.outputs), self._given(file, self.clip))
            with torch.no_grad():
                theirs = graph(*(self.clip[name] for name in graph.inputs))
            for name, one, other in zip(graph.outputs, ours, theirs, strict=True):
                found[f"largest_difference.{name}"] = float(np.abs(one - other.numpy()).max())
        return found

    def _given(self, file: str, inputs: Inputs) -> dict[str, np.ndarray]:
        return {name: inputs[name].numpy() for name in self.graphs[file].inputs}

    def _session(self, file: str, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(str(self.folder / file), options, providers=["CPUExecutionProvider"])


def _seconds(work: Callable[[], object], runs: int, now: Callable[[], float]) -> Sequence[float]:
    """Seconds of each of `runs` runs behind one that warms up."""
    work()
    found = []
    for _ in range(runs):
        began = now()
        work()
        found.append(now() - began)
    return found


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="for the paper's size")
    parser.add_argument("--only", choices=["paper", "compact"])
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    sizes: dict[str, tuple[Callable[[], Network], int]] = {
        "paper": (DeepTalk, arguments.threads),
        "compact": (CompactDeepTalk, 1),
    }
    figures: Figures = {}
    for size, (make, threads) in sizes.items():
        if arguments.only in (None, size):
            torch.manual_seed(0)
            with tempfile.TemporaryDirectory() as folder:
                found = Subject(make(), Path(folder)).figures(threads, arguments.runs)
            figures |= {f"deeptalk_speed.{size}.{name}": value for name, value in found.items()}
    notes = [
        f"random weights; one clip of {CLIP_S} s; whole: emotion heard in all of it, window: in {WINDOW_S} s of it",
        "cpu_s: processor time of the fastest run on one thread",
    ]
    command = "python -m facestream_bench.deeptalk_speed"
    path = write_results("deeptalk_speed", command, figures, path=arguments.output, notes=notes)
    print("\n".join(f"{key:56} {value:.4g}" for key, value in figures.items()), f"written to {path}", sep="\n")


if __name__ == "__main__":
    main()
