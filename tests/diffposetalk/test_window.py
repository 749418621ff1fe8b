import pytest
import torch

from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.threshold import DynamicThreshold
from facestream_models.diffposetalk.window import Person, Recipe, Speech, StreamNoise, WindowSampler
from tests.diffposetalk import plainly
from tests.diffposetalk.tiny import model, released, window_inputs

SMALL = {"window": 12, "past": 4}
MODEL = model(**SMALL)
SAMPLER = WindowSampler(MODEL)
INPUTS = window_inputs(MODEL, 3, seed=4)
IDENTITY, STYLE = INPUTS["person"].split([100, 128], dim=1)
NOISES = [StreamNoise(plainly.StoredNoise(12, 54, 12, seed), 0) for seed in range(3)]


def plan(name="ddim", steps=4):
    return plan_named(name, cosine_schedule(), steps)


def ours(recipe, rows=slice(0, 3), style=STYLE):
    return SAMPLER(
        Speech(INPUTS["audio"][rows], INPUTS["indicator"][rows]),
        Person(IDENTITY[rows], None if style is None else style[rows]),
        Past(*(part[rows] for part in INPUTS["past"])),
        recipe,
        NOISES[rows],
    )


@torch.no_grad()
def plain(recipe, step_to, style=STYLE, threshold=None):
    steps = [update.step for update in recipe.plan]
    guidance = recipe.guidance
    scales = (guidance.audio_scale, guidance.style_scale)
    rows = []
    for row in range(3):
        one = slice(row, row + 1)
        rows.append(
            plainly.window(
                released(**SMALL)[0],
                INPUTS["audio"][one],
                INPUTS["indicator"][one],
                IDENTITY[one],
                None if style is None else style[one],
                tuple(part[one] for part in INPUTS["past"]),
                steps,
                step_to,
                NOISES[row].noise,
                0,
                scales,
                guidance.mode,
                threshold,
            )
        )
    return torch.cat(rows)


def close(a, b):
    # Guidance triples differences of float32 at each step, and clean motion is of the order of 1.
    torch.testing.assert_close(a, b, atol=2e-5, rtol=0.0)


GUIDANCES = [
    Guidance(),
    Guidance(1.15, 3.0, "independent"),
    Guidance(1.0, 3.0),
    Guidance(1.0, 1.0),
    Guidance(2.0, 2.0),
    Guidance(0.0, 0.0),
]


@pytest.mark.parametrize("guidance", GUIDANCES, ids=str)
def test_a_window_is_what_three_plain_calls_a_step_give(guidance):
    recipe = Recipe(plan(), guidance)
    close(ours(recipe), plain(recipe, plainly.next_ddim))


def test_without_a_style_only_speech_is_guided():
    recipe = Recipe(plan())
    close(ours(recipe, style=None), plain(recipe, plainly.next_ddim, style=None))


def test_ancestral_steps_agree_with_their_derivation():
    recipe = Recipe(plan("ddpm", 9))
    close(ours(recipe), plain(recipe, plainly.next_ddpm))


def test_second_order_steps_agree_with_their_derivation():
    recipe = Recipe(plan("dpm-solver++", 6))
    close(ours(recipe), plain(recipe, plainly.NextDpm()))
    first_order = tuple(u._replace(clean=u.clean + u.earlier, earlier=0.0) for u in recipe.plan)
    assert (ours(recipe) - ours(Recipe(first_order))).abs().max() > 1e-3


@pytest.mark.parametrize("change", [{"audio_scale": 1.2}, {"style_scale": 2.9}, {"mode": "independent"}])
def test_another_guidance_shows(change):
    # The control of the tests above.
    assert (ours(Recipe(plan())) - ours(Recipe(plan(), Guidance(**change)))).abs().max() > 1e-3


def test_each_branch_is_clamped_before_they_are_combined():
    bounds = (0.9, 0.05, 0.2)  # the tiny network speaks softly
    recipe = Recipe(plan(), Guidance(), DynamicThreshold(*bounds))
    close(ours(recipe), plain(recipe, plainly.next_ddim, threshold=bounds))
    assert (ours(recipe) - ours(Recipe(plan()))).abs().max() > 0.1
    assert ours(recipe).abs().max() > 0.2  # the sum of branches is not clamped


def evaluations(recipe, style=STYLE):
    asked = []
    handle = SAMPLER.fast.register_forward_hook(lambda _, __, guesses: asked.append(len(guesses)))
    motion = ours(recipe, style=style)
    handle.remove()
    return asked, motion


@pytest.mark.parametrize(
    ("guidance", "branches"), [(Guidance(), 3), (Guidance(audio_scale=1.0), 2), (Guidance(1.0, 1.0), 1)]
)
def test_branches_are_one_batch_and_idle_ones_are_not_computed(guidance, branches):
    assert evaluations(Recipe(plan(), guidance))[0] == [3 * branches] * 4


def test_audio_is_heard_once_for_all_branches_that_share_it():
    heard = []
    attention = MODEL.denoiser.layers[0].cross_attention.out
    handle = attention.register_forward_hook(lambda _, given, __: heard.append(given[0].shape[:2]))
    ours(Recipe(plan(steps=1)))
    handle.remove()
    assert heard == [(6, 16), (9, 1)]  # two kinds of audio for three rows; then the person's tokens of three branches


def test_rows_do_not_know_their_batch():
    for name in ("ddpm", "dpm-solver++"):
        recipe = Recipe(plan(name))
        together = ours(recipe)
        for row in range(3):
            close(ours(recipe, slice(row, row + 1)), together[row : row + 1])


def test_the_same_seed_gives_the_same_motion():
    def motion(seed):
        rows = slice(0, 1)
        speech = Speech(INPUTS["audio"][rows], INPUTS["indicator"][rows])
        past = Past(*(part[rows] for part in INPUTS["past"]))
        noise = [StreamNoise(CounterNoise(seed), 77)]
        return SAMPLER(speech, Person(IDENTITY[rows], STYLE[rows]), past, Recipe(plan("ddpm")), noise)

    assert torch.equal(motion(1), motion(1))
    assert (motion(1) - motion(2)).abs().max() > 1e-3
