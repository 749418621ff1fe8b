"""The house in which streams live: models, admission, the engine thread, and an orderly end.

Transports open streams here and know nothing of the engine; the host knows nothing of any wire.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from facestream.acting import ActingChange, Emotion
from facestream.engines.base import ModelFacts
from facestream.errors import EngineError, InvalidValue, NotFound, Unavailable
from facestream.polish.options import PolishOptions
from facestream.serving.admission import Admission
from facestream.serving.drain import drain
from facestream.serving.lifetimes import enforce
from facestream.serving.limits import Limits
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.reference import reference_speech
from facestream.serving.resume_token import ResumeToken
from facestream.serving.scheduler import Scheduler
from facestream.serving.step_costs import StepCosts
from facestream.serving.stream import ServedStream
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32

log = logging.getLogger(__name__)

CURVE_SET = "arkit52"
"""Apple's 52 blendshapes in Apple's order: the one set there is so far."""

_WATCH_PERIOD_S = 0.25
_WHOLE_STUCK_AFTER_S = 60.0
"""A step that animates a whole recording may take this long: 48 s of audio through the largest network take 20."""
_T = TypeVar("_T")


class HostState(Enum):
    """Where the host is in its life. A host whose engine hung warms up a second time."""

    WARMING_UP = "warming up"
    SERVING = "serving"
    DRAINING = "draining"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """Continue a broken stream: audio starts at `first_sample`, frames at `first_frame_index`."""

    token: str
    first_sample: int
    first_frame_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """What a client asks for, in the host's terms."""

    sample_rate_hz: int
    frame_rate: FrameRate = field(default_factory=lambda: FrameRate(30))
    model: str = ""
    curve_set: str = CURVE_SET
    seed: int | None = None
    polish: PolishOptions = field(default_factory=PolishOptions)
    drops_oldest: bool = True
    resume: ResumeRequest | None = None
    acting: ActingChange | None = None
    is_clip: bool = False


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """A stream that was let in, and what its client should know."""

    stream: ServedStream
    model: str
    version: str
    curve_names: tuple[str, ...]
    seed: int
    resume_token: str


@dataclass(frozen=True, slots=True)
class HeardEmotion:
    """What a model heard in a reference clip."""

    model: str
    version: str
    emotion: Emotion


class AnimationHost:
    """Made with a function that loads the pipelines, the default one first; it runs again should an engine hang."""

    def __init__(
        self,
        load: Callable[[], Sequence[Pipeline]],
        limits: Limits,
        admission: Admission,
        *,
        stuck_after_s: float = 2.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.admission = admission
        self.on_state: Callable[[HostState], None] = lambda state: None
        self._load = load
        self._stuck_after_s = stuck_after_s
        self._now = now
        self._state = HostState.WARMING_UP
        self._pipelines: dict[str, Pipeline] = {}
        self._lanes: dict[tuple[Pipeline, bool], Scheduler] = {}
        self._streams: set[ServedStream] = set()
        self._watching: asyncio.Task[None] | None = None
        self._restarting: asyncio.Task[None] | None = None

    @property
    def state(self) -> HostState:
        return self._state

    @property
    def streams(self) -> frozenset[ServedStream]:
        """Streams whose transport has not left them yet."""
        return frozenset(self._streams)

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        """Every model, the default one first."""
        return tuple(self._pipelines.values())

    def models(self) -> Sequence[ModelFacts]:
        """What every model is, the default one first. Raises `Unavailable` until they are there."""
        if not self._pipelines:
            raise Unavailable(f"the server is {self._state.value}; try again, or another server")
        return [pipeline.model for pipeline in self.pipelines]

    @property
    def engine_threads(self) -> Sequence[Scheduler]:
        """One for each model, the default one's first; one more behind it for recordings that it animates as wholes."""
        return tuple(self._lanes.values())

    async def start(self) -> None:
        """Load the models, warm them up, start the engine. Raises what a bundle has against it."""
        await self._start_engine()
        self._watching = asyncio.create_task(self._watch())

    def open(self, request: StreamRequest) -> OpenedStream:
        """Let a stream in. Raises `Unavailable`, `Busy`, `NotFound`, `InvalidValue`; leave it with `release`."""
        self._check_serving()
        pipeline = self._pipeline(request.model)
        if pipeline.is_lost:
            raise Unavailable("the engine has ended and is started anew; try again, or another server")
        if request.curve_set != CURVE_SET:
            raise NotFound("curve set", request.curve_set[:80], [CURVE_SET])
        model = pipeline.model
        seed = self._seed(request, pipeline)
        options = _options(request, seed)
        self.admission.enter(is_clip=request.is_clip)
        try:
            live = pipeline.open(options, is_clip=request.is_clip)
        except BaseException:
            self.admission.leave(is_clip=request.is_clip)
            raise
        stream = ServedStream(
            secrets.token_hex(6),
            pipeline,
            live,
            self.limits,
            is_clip=request.is_clip,
            drops_oldest=request.drops_oldest and not request.is_clip,
            wake_engine=self._lanes[pipeline, live.is_whole].wake,
            now=self._now,
        )
        self._streams.add(stream)
        token = ResumeToken(model.name, model.version, str(request.frame_rate), seed)
        return OpenedStream(stream, model.name, model.version, pipeline.curve_names, seed, token.pack())

    async def hear_emotion(self, model: str, samples: Float32, sample_rate_hz: int) -> HeardEmotion:
        """The emotion of a reference clip `[T]`, mono. It takes a clip's place while it is heard.

        Raises `Unavailable`, `Busy`, `NotFound`, `AudioError` (silent, too short, too long), and `InvalidValue` for a
        model that does not act.
        """
        self._check_serving()
        pipeline = self._acting_pipeline(model)
        codes = reference_speech(samples, sample_rate_hz, pipeline.model.hop_samples)
        self.admission.enter(is_clip=True)
        try:
            emotion = await asyncio.to_thread(pipeline.hear_emotion, codes)
        finally:
            self.admission.leave(is_clip=True)
        return HeardEmotion(pipeline.model.name, pipeline.model.version, emotion)

    def release(self, stream: ServedStream) -> None:
        """The transport leaves the stream. Safe more than once."""
        stream.release()
        if stream in self._streams:
            self._streams.discard(stream)
            self.admission.leave(is_clip=stream.is_clip)

    async def drain(self, grace_s: float) -> None:
        """Let nobody in, tell every stream, and return once they have ended; at `grace_s` those left are closed."""
        if self._state is not HostState.STOPPED:
            self._become(HostState.DRAINING)
            await drain(lambda: self._streams, grace_s, self._now)

    async def stop(self) -> None:
        """Close what is open and end the engine thread."""
        self._become(HostState.STOPPED)
        for task in (self._watching, self._restarting):
            if task is not None:
                task.cancel()
        for stream in list(self._streams):
            stream.fail(Unavailable("the server has stopped"))
        for scheduler in self.engine_threads:
            ended = await asyncio.to_thread(scheduler.stop, wait_s=self._stuck_after_s)
            if not ended:
                log.error("the engine did not end its last step; it is left behind")
        await self._close_pipelines()

    def check(self) -> None:
        """Enforce the limits of every stream, and notice an engine that hangs. Runs a few times a second by itself."""
        now_s = self._now()
        for stream in list(self._streams):
            enforce(stream, self.limits, now_s)
        for (_, is_whole), scheduler in list(self._lanes.items()):
            step = scheduler.under_way
            longest_s = max(self._stuck_after_s, _WHOLE_STUCK_AFTER_S) if is_whole else self._stuck_after_s
            if step is not None and now_s - step.started_s > longest_s:
                self._give_up_engine(step.streams, now_s - step.started_s)
                return
        if self._lanes and any(pipeline.is_lost for pipeline in self.pipelines):
            self._give_up_engine((), 0.0)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_PERIOD_S)
            try:
                self.check()
            except Exception:
                log.exception("watching over the streams failed; it goes on")

    async def _start_engine(self) -> None:
        def load() -> dict[str, Pipeline]:
            pipelines = {pipeline.model.name: pipeline for pipeline in self._load()}
            for pipeline in pipelines.values():
                pipeline.warm_up()
            return pipelines

        started_s = self._now()
        self._pipelines = await asyncio.to_thread(load)
        loop = asyncio.get_running_loop()
        for pipeline in self._pipelines.values():
            for is_whole in (False, True) if pipeline.animates_wholes else (False,):
                scheduler = Scheduler(
                    loop,
                    self._now,
                    lambda: self.admission.live_count,
                    StepCosts(pipeline.cost_s),
                    pipeline.animator.steps_at_once,
                )
                scheduler.start()
                self._lanes[pipeline, is_whole] = scheduler
        log.info("ready", extra={"models": ",".join(self._pipelines), "took_s": round(self._now() - started_s, 2)})
        if self._state is HostState.WARMING_UP:
            self._become(HostState.SERVING)

    def _give_up_engine(self, hung: Sequence[ServedStream], after_s: float) -> None:
        what = "hangs" if hung else "has ended"
        log.error("the engine %s; starting another", what, extra={"after_s": round(after_s, 2), "rows": len(hung)})
        for scheduler in self.engine_threads:
            scheduler.abandon()
        self._lanes = {}
        for stream in self._streams:
            if stream in hung:
                stream.fail(EngineError(f"the engine hung; the server's log names this stream {stream.stream_id}"))
            elif not stream.is_released:
                stream.fail(Unavailable("the engine is started anew; resume the stream"))
        if self._state is HostState.SERVING:
            self._become(HostState.WARMING_UP)
            self._restarting = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        try:
            await self._close_pipelines()
            await self._start_engine()
        except Exception:
            log.exception("the engine could not be started again; the server stays out of service")

    async def _close_pipelines(self) -> None:
        for pipeline in self.pipelines:
            await asyncio.to_thread(pipeline.close)

    def _become(self, state: HostState) -> None:
        self._state = state
        self.on_state(state)

    def _check_serving(self) -> None:
        if self._state is not HostState.SERVING or not self._lanes:
            raise Unavailable(f"the server is {self._state.value}; try again, or another server")

    def _acting_pipeline(self, name: str) -> Pipeline:
        acting = [pipeline for pipeline in self.pipelines if pipeline.model.has_emotions]
        if not name and acting:
            return acting[0]
        pipeline = self._pipeline(name)
        if pipeline not in acting:
            known = ", ".join(one.model.name for one in acting) or "none: no model of this server has emotions"
            raise InvalidValue("config.model", repr(pipeline.model.name), known)
        return pipeline

    def _pipeline(self, name: str) -> Pipeline:
        if not name:
            return next(iter(self._pipelines.values()))
        if name not in self._pipelines:
            raise NotFound("model", name[:80], self._pipelines)
        return self._pipelines[name]

    def _seed(self, request: StreamRequest, pipeline: Pipeline) -> int:
        if request.resume is None:
            return secrets.randbits(64) if request.seed is None else request.seed
        token = ResumeToken.unpack(request.resume.token)
        model = pipeline.model
        here = ResumeToken(model.name, model.version, str(request.frame_rate), token.seed)
        if token != here:
            received = f"a stream of {token.model} {token.version} at {token.frame_rate} fps"
            allowed = f"{here.model} {here.version} at {here.frame_rate} fps; open a new stream without resume"
            raise InvalidValue("config.resume.token", received, allowed)
        return token.seed


def _options(request: StreamRequest, seed: int) -> StreamOptions:
    if request.resume is None:
        return StreamOptions(request.sample_rate_hz, request.frame_rate, seed, request.polish, acting=request.acting)
    clock = FrameClock(request.frame_rate, request.sample_rate_hz)
    return StreamOptions(
        request.sample_rate_hz,
        request.frame_rate,
        seed,
        request.polish,
        acting=request.acting,
        first_sample=request.resume.first_sample,
        first_frame_sample=clock.sample_of(request.resume.first_frame_index),
    )
