"""The samplers by the names under which users choose them."""

from collections.abc import Mapping
from types import MappingProxyType

from facestream.errors import NotFound
from facestream.motion.diffposetalk.samplers.ancestral import ancestral
from facestream.motion.diffposetalk.samplers.base import Plan, Sampler
from facestream.motion.diffposetalk.samplers.ddim import ddim
from facestream.motion.diffposetalk.samplers.dpm_solver import dpm_solver_2m
from facestream.motion.diffposetalk.schedule import Schedule

SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {"ddpm": ancestral, "ddim": ddim, "dpm-solver++": dpm_solver_2m},
)


def plan_named(name: str, schedule: Schedule, count: int) -> Plan:
    """The plan of a named sampler with `count` evaluations, 1..T."""
    if name not in SAMPLERS:
        raise NotFound("sampler", name, SAMPLERS)
    return SAMPLERS[name](schedule, count)
