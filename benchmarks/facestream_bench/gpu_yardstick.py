"""What a card can do at most, and what `live` costs there by torch's own CUDA graphs: the yardsticks of its engines.

    python -m facestream_bench.gpu_yardstick

`ceiling.*` are large matrix products of random numbers and a copy of half a gigabyte, bytes read and written counted.
`torch_graph.live.PRECISION.rows_R.ms` is one replay of the network that `live` was exported from, with sound and state
already on the card; TensorFloat-32 is off. Medians. `--device cpu` rehearses it all where there is no card.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from facestream.engines.base import BUCKETS
from facestream.engines.bundle import open_bundle
from facestream.errors import InvalidValue
from facestream_bench.command import add_output, publish
from facestream_models.export.stored_live import live_graph_of

PRODUCT_SIDE, COPIED_NUMBERS = 8192, 2**27
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16}
_WARM_RUNS, _RUNS, _CALLS = 3, 5, 10

Figures = dict[str, float]


def ceilings(device: torch.device, side: int = PRODUCT_SIDE, copied: int = COPIED_NUMBERS) -> Figures:
    """Arithmetic in TFLOP/s by precision, and traffic in GB/s."""
    figures: Figures = {}
    for name, dtype in _precisions_of(device).items():
        left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        seconds = seconds_of(partial(torch.matmul, left, right), device)
        figures[f"ceiling.{name}.tflops"] = 2 * side**3 / seconds / 1e12
    source = torch.ones(copied, device=device)
    target = torch.empty_like(source)
    seconds = seconds_of(lambda: target.copy_(source), device)
    return figures | {"ceiling.copy.gb_per_s": 2 * 4 * copied / seconds / 1e9}


def live_steps(device: torch.device, row_counts: Sequence[int]) -> Figures:
    """Milliseconds of a step of `live` in torch."""
    figures: Figures = {}
    for name, dtype in _precisions_of(device).items():
        bundle = open_bundle("live")
        graph = live_graph_of(bundle).to(device, dtype)
        for rows in row_counts:
            states = graph.network.fresh_state(rows)
            pcm = 0.1 * torch.randn(rows, bundle.model.hop_samples, device=device, dtype=dtype)
            step = replayed(graph, pcm, [states[one].to(device, dtype) for one in graph.state_names])
            figures[f"torch_graph.live.{name}.rows_{rows}.ms"] = 1000 * seconds_of(step, device)
    return figures


def _precisions_of(device: torch.device) -> Mapping[str, torch.dtype]:
    """Without float16 on a processor, which emulates it number by number."""
    return PRECISIONS if device.type != "cpu" else {"fp32": PRECISIONS["fp32"]}


def replayed(graph: torch.nn.Module, pcm: Tensor, states: list[Tensor]) -> Callable[[], object]:
    """One call of `graph` on these inputs: on a card recorded once, as a CUDA graph."""
    if pcm.device.type == "cpu":
        return lambda: graph(pcm, states)
    beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(_WARM_RUNS):
            graph(pcm, states)
    torch.cuda.current_stream().wait_stream(beside)
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        graph(pcm, states)
    return recorded.replay


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    """Of one call: the median of some runs of some calls each."""

    def finish() -> None:
        if device.type != "cpu":
            torch.cuda.synchronize(device)

    for _ in range(_WARM_RUNS):
        call()
    found = []
    for _ in range(_RUNS):
        finish()
        began = time.perf_counter()
        for _ in range(_CALLS):
            call()
        finish()
        found.append((time.perf_counter() - began) / _CALLS)
    return statistics.median(found)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write `gpu_yardstick.json`. Raises `InvalidValue` where torch has no such device."""
    parser = argparse.ArgumentParser("python -m facestream_bench.gpu_yardstick", description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--rows", type=int, nargs="+", default=list(BUCKETS), help="rows of a step")
    parser.add_argument("--side", type=int, default=PRODUCT_SIDE, help="of the large products")
    add_output(parser)
    arguments = parser.parse_args(words)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InvalidValue("device", f"cuda, torch {torch.__version__}", "a card and a build of torch that can use it")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    device = torch.device(arguments.device)
    with torch.no_grad():
        figures = ceilings(device, arguments.side) | live_steps(device, arguments.rows)
    publish("gpu_yardstick", figures, parser, arguments)


if __name__ == "__main__":
    main()
