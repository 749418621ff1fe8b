"""How soon and how fast a diffposetalk bundle moves a face, through a server of its own and in this process.

    python -m facestream_bench.diffposetalk_speed BUNDLE

Writes `benchmarks/results/diffposetalk_speed.json`. Through the server, client and server on this machine: a line of
speech as a synthesiser gives it, all at once or so many times faster than it is spoken, and the time from its first
chunk to the first frame and to the last. In this process, where only processor time counts, which other work on the
machine disturbs less: recordings with the model's own steps, and a live stream hop by hop (see `deeptalk_streams`).
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from facestream.acting import ActingChange
from facestream.client import AsyncClient, StreamOptions
from facestream.serving import live_stream
from facestream.serving.clip import animate
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream.types import Float32, Frames
from facestream_bench.deeptalk_streams import measure_streams
from facestream_bench.results import write_results
from facestream_bench.server_process import running_server
from facestream_bench.speech import speech_of

Figures = dict[str, float]

PACES = (0.0, 10.0, 4.0)
"""Times as fast as it is spoken; 0 for all at once."""
CHUNK_S = 0.1
LINE_S, RECORDING_S, LIVE_S = 6.0, 20.0, 20.0


def measure_line(bundle: str, line: Float32, runs: int, style: str | None) -> Figures:
    """Of a line [T] at 16 kHz at each of `PACES`: ms to its first frame, seconds to its last one; medians of `runs`."""
    options = StreamOptions(model="", seed=1, styling=None if style is None else StylingChange(style=style))
    figures: Figures = {}
    with running_server(bundle, max_streams=2) as server:
        figures["ready_s"] = server.ready_s
        asyncio.run(_speak(server.address, line, 0.0, options))  # the first call of a process is no line of a game
        for pace in PACES:
            before = server.processor_s()
            times = [asyncio.run(_speak(server.address, line, pace, options)) for _ in range(runs)]
            name = f"pace_{pace:g}" if pace else "at_once"
            figures[f"{name}.first_frame_ms"] = 1000 * statistics.median(first for first, _ in times)
            figures[f"{name}.first_frame_ms.best"] = 1000 * min(first for first, _ in times)
            figures[f"{name}.last_frame_s"] = statistics.median(last for _, last in times)
            figures[f"{name}.server_cpu_share"] = (server.processor_s() - before) / (runs * len(line) / 16_000)
        figures["resident_mb"] = server.resident_mb()
    return figures


async def _speak(address: str, line: Float32, pace: float, options: StreamOptions) -> tuple[float, float]:
    """Seconds from the first chunk to the first frame and to the last."""
    first_sent, came = 0.0, []

    async def chunks() -> AsyncIterator[Float32]:
        nonlocal first_sent
        step = round(CHUNK_S * 16_000)
        first_sent = time.perf_counter()
        for begin in range(0, len(line), step):
            if pace:
                await asyncio.sleep(first_sent + begin / 16_000 / pace - time.perf_counter())
            yield line[begin : begin + step]

    def note(frames: Frames) -> None:
        if frames.count:
            came.append(time.perf_counter())

    async with AsyncClient(address) as client:
        await client.animate_clip(chunks(), options, on_frames=note)
    return came[0] - first_sent, came[-1] - first_sent


def measure_recording(bundle: str, speech: Float32, style: str | None, steps: Sequence[int]) -> Figures:
    """Processor seconds a second of `speech` [T], with the model's own steps and with each of `steps`."""
    pipeline = open_pipeline(bundle)
    figures: Figures = {}
    for count in (None, *steps):
        styling = StylingChange(style=style, steps=count)
        options = live_stream.StreamOptions(seed=1, acting=ActingChange(styling=styling))
        animate(speech[:16_000], options, pipeline)
        began = time.process_time()
        animate(speech, options, pipeline)
        used = (time.process_time() - began) / (len(speech) / 16_000)
        figures["real_time_factor" if count is None else f"steps_{count}.real_time_factor"] = used
    return figures


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", help="name or folder")
    parser.add_argument("--runs", type=int, default=5, help="lines at each pace")
    parser.add_argument("--style", help="a named style, which takes a branch of guidance more; default: the first one")
    parser.add_argument("--steps", type=int, nargs="*", default=[1, 2, 4], help="other counts of evaluations a window")
    parser.add_argument("--beside", help="note on what else ran on the machine")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    speech = speech_of(max(LINE_S, RECORDING_S))
    abilities = open_pipeline(arguments.bundle).model.abilities
    assert abilities is not None
    assert abilities.styling is not None
    distilled = "it has" if abilities.styling.distilled else "it has none"
    style = arguments.style or next(iter(abilities.styling.styles), None)
    figures = {f"recording.{name}": value for name, value in
               measure_recording(arguments.bundle, speech[: round(RECORDING_S * 16_000)], style, arguments.steps)
               .items()}  # fmt: skip
    for count in (None, *arguments.steps):
        acting = ActingChange(styling=StylingChange(style=style, steps=count))
        streams = measure_streams(Path(arguments.bundle), 1, LIVE_S, acting)
        prefix = "live" if count is None else f"live.steps_{count}"
        figures |= {f"{prefix}.{name}": value for name, value in streams.items()}
    line = measure_line(arguments.bundle, speech[: round(LINE_S * 16_000)], arguments.runs, style)
    figures |= {f"line.{name}": value for name, value in line.items()}
    figures = {f"diffposetalk_speed.{name}": value for name, value in figures.items()}
    notes = [
        f"steps_1 to steps_4: the distilled network where the bundle has one ({distilled})",
        f"line: {LINE_S:g} s of speech in style {style}; recording: {RECORDING_S:g} s of it by processor time",
        f"live: one stream in the same style, {LIVE_S:g} s; *_cpu by processor time",
        *([arguments.beside] if arguments.beside else []),
    ]
    command = "python -m facestream_bench.diffposetalk_speed BUNDLE"
    path = write_results("diffposetalk_speed", command, figures, path=arguments.output, notes=notes)
    print("\n".join(f"{key:56} {value:.4g}" for key, value in figures.items()), f"written to {path}", sep="\n")


if __name__ == "__main__":
    main()
