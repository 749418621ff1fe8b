"""The loop around the graphs, held to torch's over the same weights."""

import numpy as np
import pytest
import torch

from facestream.engines.bundle import Bundle
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.sampling import Recipe, Window, sample
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.student import StudentSampler, StudentWindow
from facestream_models.diffposetalk.window import Known, Person, Speech, StreamNoise, WindowSampler
from facestream_models.diffposetalk.window import Recipe as TorchRecipe
from tests.diffposetalk.tiny_bundle import SHAPE, STYLE_WIDTH, tiny_folder, tiny_student, tiny_system

COSINE = cosine_schedule()


@pytest.fixture(scope="module", params=[True, False], ids=["head", "no head"])
def both(request):
    """The bundle's graphs and the network they were made of."""
    graphs = DiffPoseTalkGraphs(Bundle.open(tiny_folder(head_rotation=request.param)))
    return graphs, WindowSampler(tiny_system(head_rotation=request.param).model)


def window(graphs, seed, recipe, *, end=SHAPE.window, known=0, styled=True, frames=SHAPE.window):
    random = np.random.default_rng(seed)

    def normal(*size):
        return random.standard_normal(size).astype(np.float32)

    return Window(
        past_motion=normal(SHAPE.past, graphs.motion_count),
        past_audio=normal(SHAPE.past, SHAPE.width),
        audio=normal(frames, SHAPE.width),
        indicator=(np.arange(frames) < end).astype(np.float32),
        known=normal(known, graphs.motion_count),
        style=normal(STYLE_WIDTH) if styled else None,
        recipe=recipe,
        noise=CounterNoise(seed),
        first_frame=50 * seed,
    )


def recipe(name="dpm-solver++", steps=4, **guidance):
    return Recipe(plan_named(name, COSINE, steps), Guidance(**guidance))


def by_torch(sampler, one):
    def batch(array):
        return torch.from_numpy(array)[None]

    person = Person(torch.zeros(1, SHAPE.identity_count), None if one.style is None else batch(one.style))
    made = sampler(
        Speech(batch(one.audio), batch(one.indicator)),
        person,
        Past(batch(one.past_motion), batch(one.past_audio)),
        TorchRecipe(one.recipe.plan, one.recipe.guidance),
        [StreamNoise(one.noise, one.first_frame)],
    )
    return made[0].numpy()


RECIPES = {
    "usual": (recipe(), True),
    "ddim": (recipe("ddim", 3), True),
    "ancestral": (recipe("ddpm", 5), True),
    "independent": (recipe(mode="independent"), True),
    "speech as it is": (recipe(audio_scale=1.0), True),
    "both as they are": (recipe(audio_scale=1.0, style_scale=1.0), True),
    "nothing": (recipe(audio_scale=0.0, style_scale=0.0), True),
    "no style": (recipe(), False),
}


@pytest.mark.parametrize("case", RECIPES)
def test_a_window_is_that_of_torch(both, case):
    graphs, sampler = both
    how, styled = RECIPES[case]
    one = window(graphs, 3, how, end=17, styled=styled)
    expected = by_torch(sampler, one)
    assert np.abs(expected).max() > 0.3
    np.testing.assert_allclose(sample(graphs, [one])[0], expected, atol=1e-4)


def test_rows_with_other_ways_share_a_step_and_nothing_else(both):
    graphs, _ = both
    windows = [window(graphs, seed, how, styled=styled) for seed, (how, styled) in enumerate(RECIPES.values())]
    windows += [window(graphs, 20 + seed, windows[0].recipe, known=seed) for seed in range(4)]
    together = sample(graphs, windows)
    for place, one in enumerate(windows):
        np.testing.assert_allclose(together[place], sample(graphs, [one])[0], atol=2e-5)


def test_speech_as_it_is_costs_a_branch_less(both, monkeypatch):
    graphs, _ = both
    asked = []
    guess = graphs.guess

    def counting(*given):
        asked.append(len(given[4]))
        return guess(*given)

    monkeypatch.setattr(graphs, "guess", counting)
    for scales, branches in (({}, 3), ({"audio_scale": 1.0}, 2), ({"audio_scale": 1.0, "style_scale": 1.0}, 1)):
        asked.clear()
        sample(graphs, [window(graphs, 1, recipe(**scales))])
        assert asked == [branches] * 4


def test_a_dropped_branch_changes_nothing(both):
    """At a scale of 1 the branch without speech has no weight: nearly 1 must be nearly the same."""
    graphs, _ = both
    exact, nearly, other = (
        sample(graphs, [window(graphs, 1, recipe(audio_scale=scale))])[0] for scale in (1.0, 1.0 + 1e-6, 1.3)
    )
    np.testing.assert_allclose(nearly, exact, atol=1e-4)
    assert np.abs(other - exact).max() > 0.01


@pytest.mark.parametrize("name", ["ddim", "dpm-solver++", "ddpm"])
def test_known_frames_stay_and_the_rest_minds_them(both, name):
    graphs, _ = both
    free = window(graphs, 2, recipe(name))
    bound = window(graphs, 2, recipe(name), known=8)._replace(
        past_motion=free.past_motion, past_audio=free.past_audio, audio=free.audio, style=free.style
    )
    made, held = sample(graphs, [free])[0], sample(graphs, [bound])[0]
    np.testing.assert_allclose(held[:8], bound.known, atol=1e-5)
    assert np.abs(held[8:] - made[8:]).max() > 1e-3


def strides(steps, **guidance):
    return Recipe(plan_named("ddim", COSINE, steps), Guidance(**guidance), is_distilled=True)


@pytest.mark.parametrize(
    ("steps", "known", "styled", "style_scale"),
    [(1, 0, True, 2.0), (4, 0, True, 3.5), (2, 8, True, 1.0), (3, 8, False, 2.0), (2, 0, True, 0.0)],
)
def test_strides_of_the_distilled_network_are_those_of_torch(steps, known, styled, style_scale):
    graphs = DiffPoseTalkGraphs(Bundle.open(tiny_folder(has_student=True)))
    system = tiny_system()
    how = strides(steps, audio_scale=1.3, style_scale=style_scale)
    one = window(graphs, 3, how, end=17, known=known, styled=styled)
    worn = torch.from_numpy(one.style)[None] if styled and style_scale > 0.0 else None
    counts = (torch.arange(SHAPE.window) < known).float()[None]
    motion = torch.zeros(1, SHAPE.window, graphs.motion_count)
    motion[0, :known] = torch.from_numpy(one.known)
    asked = StudentWindow(
        system.model.person(torch.zeros(1, SHAPE.identity_count), worn).detach(),
        Past(torch.from_numpy(one.past_motion)[None], torch.from_numpy(one.past_audio)[None]),
        torch.from_numpy(one.audio)[None],
        torch.from_numpy(one.indicator)[None],
        torch.tensor([[1.3, 0.0 if worn is None else style_scale]]),
        Known(counts, motion),
    )
    noise = torch.from_numpy(one.noise.start(one.first_frame, motion.shape[1:]))[None]
    expected = StudentSampler(tiny_student(system))(asked, noise, steps)[0].numpy()
    assert np.abs(expected[known:17]).max() > 0.3
    np.testing.assert_allclose(sample(graphs, [one])[0], expected, atol=1e-4)


def test_windows_of_several_lengths_share_a_step_and_nothing_else():
    graphs = DiffPoseTalkGraphs(Bundle.open(tiny_folder(has_student=True)))
    windows = [
        window(graphs, seed, how, end=9, known=seed, frames=frames)
        for seed, (how, frames) in enumerate([(strides(2), 14), (strides(2), 24), (recipe(), 24), (strides(2), 14)])
    ]
    together = sample(graphs, windows)
    for found, one in zip(together, windows, strict=True):
        np.testing.assert_allclose(found, sample(graphs, [one])[0], atol=2e-5)
    assert [len(found) for found in together] == [14, 24, 24, 14]
