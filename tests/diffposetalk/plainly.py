"""Sampling written down plainly: one evaluation a branch, no cache, loops in the order of the specification."""

import math

import numpy as np
import torch

from tests.diffposetalk.released import Schedule

KEPT = Schedule().alpha_bars.double().tolist()


class StoredNoise:
    """Noise that was written down, to compare implementations number by number."""

    def __init__(self, window, motion, frames, seed=0):
        rng = np.random.default_rng(seed)
        self.starts = rng.standard_normal((window, motion)).astype(np.float32)
        self.noises = rng.standard_normal((501, frames, motion)).astype(np.float32)

    def start(self, first_frame, shape):
        return self.starts  # the released procedure begins every window alike

    def fresh(self, step, first_frame, shape):
        return self.noises[step, first_frame : first_frame + shape[0]]


def clamped(y, ratio, least, most):
    bound = np.clip(np.quantile(np.abs(y.numpy().reshape(-1)), ratio), least, most)
    return y.clip(-float(bound), float(bound))


def next_ddpm(x, clean, t, s, z):
    """One draw between x at t and the clean motion: product of two normal densities."""
    if s == 0:
        return clean
    ratio = math.sqrt(KEPT[t] / KEPT[s])
    known, seen = 1 / (1 - KEPT[s]), ratio**2 / (1 - ratio**2)
    mean = (math.sqrt(KEPT[s]) * known * clean + seen / ratio * x) / (known + seen)
    return mean + z / math.sqrt(known + seen)


def next_ddim(x, clean, t, s, z):
    noise = (x - math.sqrt(KEPT[t]) * clean) / math.sqrt(1 - KEPT[t])
    return math.sqrt(KEPT[s]) * clean + math.sqrt(1 - KEPT[s]) * noise


class NextDpm:
    """Exponential integrator in log(signal / noise); the guess goes on as the line through its last two values."""

    def __init__(self):
        self.guesses = []

    def __call__(self, x, clean, t, s, z):
        if t == 500:
            self.guesses = []
        here = math.log(KEPT[t] / (1 - KEPT[t])) / 2
        self.guesses.append((here, clean))
        if s == 0:
            return clean
        there = math.log(KEPT[s] / (1 - KEPT[s])) / 2
        if len(self.guesses) > 1:
            before, guess_before = self.guesses[-2]
            slope = (clean - guess_before) / (here - before)
            clean = clean + slope * (there - here) / 2
        grown = math.exp(here - there)
        return x * math.sqrt((1 - KEPT[s]) / (1 - KEPT[t])) + math.sqrt(KEPT[s]) * (1 - grown) * clean


def window(released, audio, indicator, identity, style, past, steps, step_to, noise, first, scales, mode, threshold):
    """Motion [1, L, D] of one row; `past` is (motion, audio), `scales` (audio, style), `threshold` a triple or none."""
    silent = released.null_audio_feat.expand(1, audio.shape[1], -1)
    no_style = released.null_style_feat[:, 0]
    size = (audio.shape[1], past[0].shape[2])
    x = torch.from_numpy(noise.start(first, size))[None]

    def ask(given_audio, given_style, t):
        person = torch.cat([identity, given_style], 1)
        y = released.denoising_net(x, given_audio, person, *past, torch.tensor([t]), indicator)[:, -size[0] :]
        return y if threshold is None else clamped(y, *threshold)

    for t, s in zip(steps, [*steps[1:], 0], strict=True):
        y0, y1 = ask(silent, no_style, t), ask(audio, no_style, t)
        if style is None:
            clean = y0 + scales[0] * (y1 - y0)
        elif mode == "incremental":
            clean = y0 + scales[0] * (y1 - y0) + scales[1] * (ask(audio, style, t) - y1)
        else:
            clean = y0 + scales[0] * (y1 - y0) + scales[1] * (ask(silent, style, t) - y0)
        x = step_to(x, clean, t, s, torch.from_numpy(noise.fresh(t, first, size)))
    return x
