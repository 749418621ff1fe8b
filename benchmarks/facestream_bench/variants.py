"""The ways in which a model can be run here: an engine and a precision each."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facestream.engines.bundle import open_bundle
from facestream.engines.choice import CUDA, ONNX, TENSORRT, EngineOptions
from facestream.errors import FacestreamError, InvalidValue
from facestream.motion.bundle_profile import profile_of
from facestream.motion.live import LiveMotion
from facestream.retarget.solver import Retargeter
from facestream.serving.animator import Animator
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline

ON_CPU, ON_GPU = "onnx-cpu", "onnx-cuda"
_ENGINES = {ON_CPU: ONNX, ON_GPU: CUDA, TENSORRT: TENSORRT}


@dataclass(frozen=True)
class Variant:
    """An engine at a precision."""

    engine: str
    precision: str

    @property
    def name(self) -> str:
        """As in the names of figures: `onnx-cpu.fp32`."""
        return f"{self.engine}.{self.precision}"

    @property
    def now(self) -> Callable[[], float]:
        """The clock of its steps. On a processor, where a step has one thread, that thread's own time: it is the wall
        clock's wherever nothing else runs, and does not count what else does.
        """
        return time.perf_counter if self.engine in (ON_GPU, TENSORRT) else time.process_time

    def open(self, model: str) -> Pipeline:
        """A pipeline that runs `model` so. Raises why it can not."""
        if self.engine == "torch":
            return _open_torch(model)
        return open_pipeline(model, engine=EngineOptions(_ENGINES[self.engine], precision=self.precision))


REFERENCE = Variant(ON_CPU, "fp32")
VARIANTS = (
    REFERENCE,
    Variant(ON_CPU, "int8"),
    Variant(ON_GPU, "fp32"),
    Variant(TENSORRT, "fp32"),
    Variant(TENSORRT, "fp16"),
    Variant("torch", "fp32"),
)


def _open_torch(model: str) -> Pipeline:
    from facestream_bench.torch_engine import TorchEngine

    bundle = open_bundle(model)
    retargeter = Retargeter(profile_of(bundle), tuple(bundle.manifest.outputs.extras))
    return Pipeline(Animator(LiveMotion(TorchEngine(bundle)), retargeter))


def add_variants(parser: argparse.ArgumentParser) -> None:
    """The option that chooses some of them."""
    names = ", ".join(one.name for one in VARIANTS)
    parser.add_argument("--variants", nargs="+", help=f"of {names}; default: those that can be used here")


def usable_variants(arguments: argparse.Namespace) -> tuple[Sequence[Variant], list[str]]:
    """The chosen variants, and a note for each other one that says why it can not be used.

    Raises `InvalidValue` for an unknown one, and what is against one that was chosen by name.
    """
    by_name = {one.name: one for one in VARIANTS}
    if unknown := [name for name in arguments.variants or () if name not in by_name]:
        raise InvalidValue("variants", ", ".join(unknown), f"some of {', '.join(by_name)}")
    usable, notes = [], []
    for name in arguments.variants or by_name:
        try:
            by_name[name].open(arguments.model)
        except FacestreamError as error:
            if arguments.variants:
                raise
            notes.append(f"{name} was not measured: {error}")
        else:
            usable.append(by_name[name])
    return usable, notes
