"""How fast DEEPTalk's graphs are, at the paper's size and compact, and that they give what torch gives.

    python -m facestream_bench.deeptalk_speed

Writes `benchmarks/results/deeptalk_speed.json`. Weights are random: times do not depend on them. A clip of 10 s goes
through the emotion graph, the content graph where there is one, and the motion graph, as a client's clip does, on two
threads at the paper's size and on one compact. `clip` is the way of the runtime, which at the paper's size hears 3.8 s
of the 10 (`deeptalk.bundle` says why); for `whole` the emotion is heard in all of it, what the released code does.
`torch` is the same network in torch, all of it heard, on as many threads. Then 16 live streams of the compact one, see
`deeptalk_streams`.

Times are of the wall clock, the fastest and the median of several runs; `cpu_s` is the processor time of the fastest
run on one thread, which other work on the machine disturbs less. The real-time factor is of the median.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from facestream.motion.heard_emotion import hear_whole
from facestream_bench.deeptalk_streams import measure_streams
from facestream_bench.results import write_results
from facestream_models.deeptalk.audio import CODE_SAMPLES, SAMPLE_RATE, pad_to_codes
from facestream_models.deeptalk.bundle import hearing_of
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.graph import (
    CONTENT_GRAPH,
    EMOTION_GRAPH,
    MOTION_GRAPH,
    Network,
    example,
    export_graphs,
)
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.export.deeptalk import write_bundle
from facestream_models.export.graphs import Graph

CLIP_S = 10
STREAMS, STREAMS_S = 16, 30.0

Figures = dict[str, float]
Run = Callable[[onnxruntime.InferenceSession], list[np.ndarray]]


class Subject:
    """A network and its two graphs on disk."""

    def __init__(self, network: Network, folder: Path, clip_s: float = CLIP_S) -> None:
        self.folder = folder
        self.graphs = export_graphs(network.eval(), folder)
        self.clip_s = clip_s
        padded = pad_to_codes(torch.zeros(1, round(clip_s * SAMPLE_RATE))).shape[1]
        self.clip = example(network, rows=1, codes=padded // CODE_SAMPLES)
        self.hearing = hearing_of(network)

    def figures(self, threads: int, runs: int) -> Figures:
        """Times of each part, real-time factors of the clip, and how far the graphs are from torch."""
        parts: dict[str, tuple[str, Run]] = {
            "emotion_whole": (EMOTION_GRAPH, self._through(EMOTION_GRAPH)),
            "emotion_heard": (EMOTION_GRAPH, self._heard),
            "motion": (MOTION_GRAPH, self._through(MOTION_GRAPH)),
        }
        if CONTENT_GRAPH in self.graphs:
            parts["content"] = (CONTENT_GRAPH, self._through(CONTENT_GRAPH))
        found: Figures = {"threads": float(threads)}
        for name, (file, run) in parts.items():
            found |= {f"{name}.{key}": value for key, value in self._times(file, run, threads, runs).items()}
        for name, emotion in (("clip", "emotion_heard"), ("whole", "emotion_whole")):
            for key in ("median_s", "cpu_s"):
                found[f"{name}.{key}"] = sum(found[f"{part}.{key}"] for part in (emotion, "content", "motion")
                                             if part in parts)  # fmt: skip
            found[f"{name}.real_time_factor"] = found[f"{name}.median_s"] / self.clip_s
        found["torch.median_s"] = self._torch_seconds(threads, runs)
        found["torch.real_time_factor"] = found["torch.median_s"] / self.clip_s
        return found | self._differences()

    def _times(self, file: str, run: Run, threads: int, runs: int) -> Figures:
        session = self._session(file, threads)
        wall = _seconds(lambda: run(session), runs, time.perf_counter)
        alone = session if threads == 1 else self._session(file, 1)
        cpu = _seconds(lambda: run(alone), runs, time.process_time)
        return {"median_s": statistics.median(wall), "fastest_s": min(wall), "cpu_s": min(cpu)}

    def _through(self, file: str) -> Run:
        """The whole clip through a graph."""
        given = {name: self.clip[name].numpy() for name in self.graphs[file].inputs}
        return lambda session: session.run(list(self.graphs[file].outputs), given)

    def _heard(self, session: onnxruntime.InferenceSession) -> list[np.ndarray]:
        """What the runtime hears of the clip."""
        return list(hear_whole(Ear(session), self.clip["pcm"].numpy(), CODE_SAMPLES, **self.hearing))

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
        """Largest difference between graph and torch of each output on the whole clip, and of what is heard of it."""
        found: Figures = {}
        for file, graph in self.graphs.items():
            ours = self._through(file)(self._session(file, 1))
            with torch.no_grad():
                theirs = graph(*(self.clip[name] for name in graph.inputs))
            for name, one, other in zip(graph.outputs, ours, theirs, strict=True):
                found[f"largest_difference.{name}"] = float(np.abs(one - other.numpy()).max())
        ears = Ear(self._session(EMOTION_GRAPH, 1)), TorchEar(self.graphs[EMOTION_GRAPH])
        heard = [hear_whole(ear, self.clip["pcm"].numpy(), CODE_SAMPLES, **self.hearing) for ear in ears]
        for name, one, other in zip(("heard_mean", "heard_log_variance"), *heard, strict=True):
            found[f"largest_difference.{name}"] = float(np.abs(one - other).max())
        return found

    def _session(self, file: str, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(str(self.folder / file), options, providers=["CPUExecutionProvider"])


class Ear:
    """A session of the emotion graph as the runtime's listener."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session

    def hear(self, pcm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, log_variance = self.session.run(["mean", "log_variance"], {"pcm": pcm})
        return mean, log_variance


class TorchEar:
    """The same network in torch as the runtime's listener."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @torch.no_grad()
    def hear(self, pcm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, log_variance = self.graph(torch.from_numpy(pcm))
        return mean.numpy(), log_variance.numpy()


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
    parser.add_argument("--beside", help="note on what else ran on the machine")
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
            network = make()
            with tempfile.TemporaryDirectory() as folder:
                found = Subject(network, Path(folder)).figures(threads, arguments.runs)
            if isinstance(network, CompactDeepTalk):
                with tempfile.TemporaryDirectory() as folder:
                    bundle = Path(folder) / "bundle"
                    write_bundle(network, None, bundle, version="0", training={}, card="Random weights.\n")
                    streams = measure_streams(bundle, STREAMS, STREAMS_S)
                found |= {f"live.{name}": value for name, value in streams.items()}
            figures |= {f"deeptalk_speed.{size}.{name}": value for name, value in found.items()}
    notes = [
        f"random weights; one clip of {CLIP_S} s; clip: as the runtime hears it, whole: emotion heard in all of it",
        "cpu_s: processor time of the fastest run on one thread",
        f"live: {STREAMS} streams that begin together, {STREAMS_S:g} s, one thread; *_cpu by processor time",
        *([arguments.beside] if arguments.beside else []),
    ]
    command = "python -m facestream_bench.deeptalk_speed"
    path = write_results("deeptalk_speed", command, figures, path=arguments.output, notes=notes)
    print("\n".join(f"{key:56} {value:.4g}" for key, value in figures.items()), f"written to {path}", sep="\n")


if __name__ == "__main__":
    main()
