"""A whole recording in this process: as live where the model is causal, at its best where it is not."""

from collections.abc import Callable

from facestream.errors import EngineError
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline, no_frames
from facestream.types import Float32, Frames, joined_frames

HOPS_A_STEP = 32
"""1.28 s of audio. More gains nothing on a CPU and holds up other work on the engine for longer."""


def animate(
    samples: Float32,
    options: StreamOptions,
    pipeline: Pipeline,
    on_progress: Callable[[float], None] | None = None,
) -> Frames:
    """All frames of mono audio `[T]` at `options.sample_rate_hz`, the rest tail included.

    `on_progress` gets the share that is done, 0..1, after each step. Raises `EngineError`.
    """
    stream = pipeline.open(options, is_clip=True)
    runs: list[Frames] = []
    try:
        piece = options.sample_rate_hz
        for begin in range(0, max(samples.size, 1), piece):
            stream.push(samples[begin : begin + piece])
            if begin + piece >= samples.size:
                stream.finish()
            while stream.ready_hops >= (1 if stream.is_finished else HOPS_A_STEP):
                (run,) = pipeline.advance([stream], HOPS_A_STEP)
                if isinstance(run, EngineError):
                    raise run
                runs.append(run)
            if on_progress is not None:
                on_progress(min((begin + piece) / max(samples.size, 1), 1.0))
    finally:
        stream.close()
    return joined_frames(runs or [no_frames(stream)])
