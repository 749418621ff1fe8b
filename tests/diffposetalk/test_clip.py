import pytest
import torch
from torch.nn import functional as F

from facestream.errors import AudioError
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.clip import generate_clip
from facestream_models.diffposetalk.window import Person, Recipe, WindowSampler
from tests.diffposetalk import plainly
from tests.diffposetalk.tiny import model, released

G = torch.Generator().manual_seed(9)
PERSON = Person(torch.randn(1, 100, generator=G), torch.randn(1, 128, generator=G))
SAMPLERS = {head: WindowSampler(model(head)) for head in (True, False)}


def recipe(name="ddim", steps=1, guidance=None):
    return Recipe(plan_named(name, cosine_schedule(), steps), guidance or Guidance(1.0, 1.0))


@pytest.mark.parametrize("frames", [1, 99, 100, 101, 250])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_clip_has_a_frame_for_each_whole_40_ms(frames, extra):
    waveform = torch.randn(1, 640 * frames + extra, generator=G)
    if waveform.shape[1] < 640:
        with pytest.raises(AudioError, match="639 samples; allowed: at least 640"):
            generate_clip(SAMPLERS[True], waveform, PERSON, recipe(), [CounterNoise(0)])
        return
    motion = generate_clip(SAMPLERS[True], waveform, PERSON, recipe(), [CounterNoise(0)])
    assert motion.shape == (1, frames - (extra < 0), 54)


@torch.no_grad()
def plain_clip(head_rotation, waveform, frames, steps, step_to, noise):
    """Section 7.5 for a clip of whole frames, with the released network of the tests and our speech features."""
    network = released(head_rotation)[0]
    windows = (frames + 99) // 100
    waveform = (waveform - waveform.mean()) / (waveform.std() + 1e-5)
    features = model(head_rotation).speech(F.pad(waveform, (0, 64_000 * windows - waveform.shape[1])))
    past = (network.start_motion_feat, network.start_audio_feat)
    motions = []
    for k in range(windows):
        heard = features[:, 100 * k : 100 * (k + 1)]
        indicator = torch.ones(1, 100)
        if k == windows - 1 and frames % 100:
            indicator[:, frames % 100 :] = 0.0
        motion = plainly.window(
            network, heard, indicator, *PERSON, past, steps, step_to, noise, 100 * k, (1.15, 3.0), "incremental", None
        )
        motions.append(motion)
        past = (motion[:, -10:], heard[:, -10:])
    return torch.cat(motions, dim=1)[:, :frames]


@pytest.mark.parametrize("head_rotation", [True, False])
def test_two_chained_windows_agree_with_a_plain_loop(head_rotation):
    waveform = torch.randn(1, 640 * 163, generator=G)
    noise = plainly.StoredNoise(100, 54 if head_rotation else 51, 200)
    how = recipe("ddpm", 3, Guidance())
    ours = generate_clip(SAMPLERS[head_rotation], waveform, PERSON, how, [noise])
    steps = [update.step for update in how.plan]
    plain = plain_clip(head_rotation, waveform, 163, steps, plainly.next_ddpm, noise)
    torch.testing.assert_close(ours, plain, atol=3e-5, rtol=0.0)
    # The controls: the second window knows the first, and the end of the audio shows.
    first_only = generate_clip(SAMPLERS[head_rotation], waveform[:, 64_000:], PERSON, how, [noise])
    assert (first_only - ours[:, 100:]).abs().max() > 1e-2
    shorter = plain_clip(head_rotation, waveform, 162, steps, plainly.next_ddpm, noise)
    assert (shorter[:, 100:] - plain[:, 100:162]).abs().max() > 3e-4


@pytest.mark.slow
@pytest.mark.timeout(600)  # 25 s of one quiet core
def test_two_windows_of_all_500_steps_agree_with_a_plain_loop():
    waveform = torch.randn(1, 640 * 163, generator=G)
    noise = plainly.StoredNoise(100, 54, 200)
    ours = generate_clip(SAMPLERS[True], waveform, PERSON, recipe("ddpm", 500, Guidance()), [noise])
    plain = plain_clip(True, waveform, 163, list(range(500, 0, -1)), plainly.next_ddpm, noise)
    torch.testing.assert_close(ours, plain, atol=1e-3, rtol=0.0)


def test_several_takes_of_one_clip_share_its_audio():
    waveform = torch.randn(1, 640 * 20, generator=G)
    person = Person(PERSON.identity.expand(2, -1), PERSON.style.expand(2, -1))
    takes = generate_clip(SAMPLERS[True], waveform, person, recipe(steps=2), [CounterNoise(1), CounterNoise(2)])
    alone = generate_clip(SAMPLERS[True], waveform, PERSON, recipe(steps=2), [CounterNoise(2)])
    torch.testing.assert_close(takes[1:], alone, atol=1e-5, rtol=0.0)
    assert (takes[0] - takes[1]).abs().max() > 1e-3


def test_samples_that_are_not_numbers_are_refused():
    waveform = torch.zeros(1, 6400)
    waveform[0, 77] = torch.nan
    with pytest.raises(AudioError, match="not numbers"):
        generate_clip(SAMPLERS[True], waveform, PERSON, recipe(), [CounterNoise(0)])
