"""Live streams of a model with windows on one core: how long the steps take that move all of them on.

All streams begin together, the worst case, each at another place of the same speech. Every 160 ms each of them has a
hop to be made; one step makes them all, and one that takes longer than 160 ms has missed its deadline. Steps follow
one another without waiting, so a run takes the time of its work and no more.
"""

import time
from pathlib import Path

from facestream.acting import ActingChange
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.types import Frames
from facestream_bench.live_load import percentiles_ms
from facestream_bench.speech import clip_speech

Figures = dict[str, float]


def measure_streams(bundle: Path, count: int, seconds: float, acting: ActingChange | None = None) -> Figures:
    """Times of the steps of `count` streams over `seconds` of audio: `step.*` of the wall clock, `step_cpu.*` of the
    processor, `missed` and `missed_cpu` steps over the deadline by each, and `cores` that the streams take.
    """
    pipeline = open_pipeline(str(bundle))
    pipeline.warm_up()
    hop = pipeline.model.hop_samples
    deadline_s = hop / 16_000
    speech = clip_speech()
    streams = [pipeline.open(StreamOptions(seed=number, acting=acting)) for number in range(count)]
    wall, cpu = [], []
    for begin in range(0, round(seconds * 16_000), hop):
        for number, stream in enumerate(streams):
            place = begin + number * speech.size // count
            stream.push(speech.take(range(place, place + hop), mode="wrap"))
        if min(stream.ready_hops for stream in streams) < 1:
            continue  # nothing is due before the first codes have what follows them
        began, used = time.perf_counter(), time.process_time()
        for first in range(0, count, pipeline.max_rows):
            results = pipeline.advance(streams[first : first + pipeline.max_rows])
            assert all(isinstance(result, Frames) for result in results), results
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    for stream in streams:
        stream.close()
    figures = {"streams": float(count), "steps": float(len(wall)), "rows_at_once": float(pipeline.max_rows)}
    for name, times in (("step", wall), ("step_cpu", cpu)):
        figures |= {f"{name}.{key}": value for key, value in percentiles_ms(times).items()}
    figures["missed"] = float(sum(one > deadline_s for one in wall))
    figures["missed_cpu"] = float(sum(one > deadline_s for one in cpu))
    figures["cores"] = sum(cpu) / (len(cpu) * deadline_s)
    return figures
