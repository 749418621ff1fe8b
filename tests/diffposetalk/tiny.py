"""Small released models with weights from a seed, and windows to feed them."""

from functools import cache

import torch

from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.official_weights import official_model
from facestream_models.encoders.speech_transformer import SpeechTransformerShape
from tests.diffposetalk.released import PlainDenoiser, published_speech, unlike

SPEECH = SpeechTransformerShape(
    channels=16, width=32, layers=3, heads=2, hidden=48, position_kernel=16, position_groups=4
)


@cache
def released(head_rotation=True, window=100, past=10):
    """The stand-in for the released network, and its checkpoint."""
    with torch.random.fork_rng():
        torch.manual_seed(7 + head_rotation)
        network = unlike(PlainDenoiser(54 if head_rotation else 51, window, past, 128, 3, 96, SPEECH.width))
        speech = published_speech(SPEECH)
    return network, network.state_dict() | speech


@cache
def model(head_rotation=True, window=100, past=10):
    """Ours with the same weights."""
    return official_model(released(head_rotation, window, past)[1], "tiny", SPEECH)


def window_inputs(model, rows, seed=0):
    """Random inputs of one window by the names of `Denoiser.forward`."""
    g, s = torch.Generator().manual_seed(seed), model.shape
    tails = torch.randint(1, s.window + 1, (rows, 1), generator=g)
    return {
        "noisy": torch.randn(rows, s.window, s.motion_count, generator=g),
        "step": torch.randint(1, 501, (rows,), generator=g),
        "person": torch.randn(rows, s.identity_count + s.style_count, generator=g),
        "past": Past(
            torch.randn(rows, s.past, s.motion_count, generator=g),
            torch.randn(rows, s.past, s.width, generator=g),
        ),
        "audio": torch.randn(rows, s.window, s.width, generator=g),
        "indicator": (torch.arange(s.window) < tails).float(),
    }
