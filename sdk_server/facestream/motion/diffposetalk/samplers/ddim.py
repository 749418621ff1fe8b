"""DDIM (Song, Meng, Ermon 2021): no fresh noise, so that few large strides are enough."""

from facestream.motion.diffposetalk.samplers.base import Plan, Update, spaced_steps
from facestream.motion.diffposetalk.schedule import Schedule


def ddim(schedule: Schedule, count: int) -> Plan:
    """Each update keeps the noise that the guess implies and shrinks it to the next level; of first order."""
    plan = []
    for step, following in spaced_steps(schedule, count):
        shrink = schedule.noise(following) / schedule.noise(step)
        plan.append(Update(step, noisy=shrink, clean=schedule.signal(following) - shrink * schedule.signal(step)))
    return tuple(plan)
