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
    def ran_by(self) -> str:
        """The engine of a server that runs it; empty for torch, which none does."""
        return _ENGINES.get(self.engine, "")

    @property
    def is_on_card(self) -> bool:
        """Whether it needs a GPU."""
        return self.ran_by in (CUDA, TENSORRT)

    @property
    def now(self) -> Callable[[], float]:
        """The clock of its steps. On a processor, where a step has one thread, that thread's own time: it is the wall
        clock's wherever nothing else runs, and does not count what else does.
        """
        return time.perf_counter if self.is_on_card else time.process_time

    def open(self, model: str) -> Pipeline:
        """A pipeline that runs `model` so. Raises why it can not."""
        if not self.ran_by:
            return _open_torch(model)
        return open_pipeline(model, engine=EngineOptions(self.ran_by, precision=self.precision))


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


def variants_named(names: Sequence[str]) -> list[Variant]:
    """The variants of these names, in their order. Raises `InvalidValue` for an unknown one."""
    by_name = {one.name: one for one in VARIANTS}
    if unknown := [name for name in names if name not in by_name]:
        raise InvalidValue("variants", ", ".join(unknown), f"some of {', '.join(by_name)}")
    return [by_name[name] for name in names]


def tried(
    variants: Sequence[Variant], open_variant: Callable[[Variant], object]
) -> tuple[list[Variant], dict[str, FacestreamError]]:
    """Those that can be opened, and by name what is against each other one."""
    usable, refused = [], {}
    for variant in variants:
        try:
            open_variant(variant)
        except FacestreamError as error:
            refused[variant.name] = error
        else:
            usable.append(variant)
    return usable, refused


def usable_variants(arguments: argparse.Namespace) -> tuple[Sequence[Variant], list[str]]:
    """The chosen variants, and a note for each other one that says why it can not be used.

    Raises `InvalidValue` for an unknown one, and what is against one that was chosen by name.
    """
    chosen = variants_named(arguments.variants or ())
    usable, refused = tried(chosen or VARIANTS, lambda variant: variant.open(arguments.model))
    if chosen:
        for error in refused.values():
            raise error
    return usable, [f"{name} was not measured: {error}" for name, error in refused.items()]
