"""Golden activations and the pseudo-random weights they were made with (deeptalk specification, section 2.10)."""

import gzip
import json
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).parent / "data"
GOLDEN = json.loads((DATA / "golden.json").read_text())
KEYS = json.loads(gzip.decompress((DATA / "keys.json.gz").read_bytes()))
"""Every key and shape of the released files by module: DEE, TH-VQVAE, FER, DEEPTalk."""

EMBEDDING = "sequence_decoder.DEE."
PRIOR = "sequence_decoder.motion_prior."
ALIAS = "sequence_decoder.DEE_audio."


def weights(module, prefix="", *, of=None):
    """Filled tensors of `module` under `prefix`, which is cut off the names; `of` picks by the name that is left."""
    found = {}
    for key, shape in KEYS[module].items():
        if key.startswith(prefix) and not key.startswith(ALIAS):
            name = key.removeprefix(prefix)
            if of is None or of(name):
                found[name] = filled(key, shape)
    return found


def filled(key, shape):
    last = key.rpartition(".")[2]
    if last in ("num_batches_tracked", "pos_enc", "ema_count", "ema_weight"):
        return torch.zeros(shape)
    if last in ("shift", "negative_scale", "alibi_scale"):
        return torch.full(shape, 1.0 if last == "alibi_scale" else 5.0)
    z = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(prod(shape)).reshape(shape)
    if last == "running_mean":
        value = 0.02 * z
    elif last == "running_var":
        value = 1 + 0.1 * np.abs(z)
    elif last == "weight_g":
        value = 1 + 0.05 * z
    elif "codebook" in key:
        value = 0.5 * z
    elif "bias" in last:
        value = 0.02 * z
    elif len(shape) == 1:
        value = 1 + 0.05 * z if last == "weight" else 0.1 * z
    elif last == "extra_tokens":
        value = 0.1 * z
    else:
        value = z / np.sqrt(prod(shape[1:]))
    return torch.from_numpy(value.astype(np.float32))


def speech():
    """Two seconds of noise, [1, 32000]."""
    samples = np.random.RandomState(123).standard_normal(32_000).astype(np.float32) * np.float32(0.05)
    return torch.from_numpy(samples)[None]


def motion():
    """[1, 32, 53]."""
    return torch.from_numpy((np.random.RandomState(7).standard_normal((1, 32, 53)) * 0.5).astype(np.float32))


def assert_golden(found, name, tolerance):
    expected = GOLDEN[name]
    assert list(found.shape) == expected["shape"], name
    figures = torch.cat([found.mean()[None], found.std()[None], found.flatten()[:8]]).double().numpy()
    wanted = np.array([expected["mean"], expected["std"], *expected["first8"]])
    assert np.abs(figures - wanted).max() <= tolerance, (name, figures - wanted)
