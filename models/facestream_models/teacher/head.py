"""The teacher's trained part: encoder features to phone-class probabilities, looking both ways.

Input of a frame: 512 encoder features and the two log-mel frames of the same 20 ms. Six residual separable
convolutions see 560 ms to either side. The log-mel branch is dropped at random in training, so that the head leans on
the encoder, which knows real voices, and uses the mel only to sharpen edges.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facestream_models.corpus.phones import CLASSES
from facestream_models.teacher.features import FEATURES, MELS

_WIDTH = 256
_KERNEL = 5
_DILATIONS = (1, 2, 4, 1, 2, 4)
_COLUMNS = FEATURES + 2 * MELS


class _Block(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        padding = (_KERNEL - 1) // 2 * dilation
        self.norm = nn.LayerNorm(_WIDTH)
        self.depthwise = nn.Conv1d(_WIDTH, _WIDTH, _KERNEL, padding=padding, dilation=dilation, groups=_WIDTH)
        self.pointwise = nn.Conv1d(_WIDTH, _WIDTH, 1)
        self.dropout = nn.Dropout(0.15)

    def forward(self, steps: Tensor) -> Tensor:
        inner = self.depthwise(self.norm(steps).transpose(1, 2))
        inner = self.pointwise(nn.functional.gelu(inner)).transpose(1, 2)
        out: Tensor = steps + self.dropout(nn.functional.gelu(inner))
        return out


class PhoneHead(nn.Module):
    """Features [B, F, 672] -> logits [B, F, 21]."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(_COLUMNS))
        self.register_buffer("scale", torch.ones(_COLUMNS))
        self.from_encoder = nn.Linear(FEATURES, _WIDTH)
        self.from_mel = nn.Linear(2 * MELS, _WIDTH)
        self.blocks = nn.ModuleList(_Block(dilation) for dilation in _DILATIONS)
        self.out = nn.Linear(_WIDTH, len(CLASSES))

    def fit_scale(self, features: NDArray[np.float16]) -> None:
        """Take mean and spread of each column from `features` [N, 672]."""
        wide = features.astype(np.float32)
        self.get_buffer("mean").copy_(torch.from_numpy(wide.mean(axis=0)))
        self.get_buffer("scale").copy_(torch.from_numpy(1.0 / (wide.std(axis=0) + 1e-3)))

    def forward(self, features: Tensor) -> Tensor:
        unit = ((features - self.get_buffer("mean")) * self.get_buffer("scale")).clamp(-8, 8)
        mel = self.from_mel(unit[..., FEATURES:])
        if self.training:
            keep = (torch.rand(len(mel), 1, 1) > 0.4).float()
            mel = mel * keep
        steps = self.from_encoder(nn.functional.dropout(unit[..., :FEATURES], 0.1, self.training)) + mel
        for block in self.blocks:
            steps = block(steps)
        logits: Tensor = self.out(steps)
        return logits


@dataclass(frozen=True, eq=False)
class Clip:
    """One training clip: `features` float16 [F, 672] and `labels` int8 [F], -1 where unknown; `weight` of its loss."""

    features: NDArray[np.float16]
    labels: NDArray[np.int8]
    weight: float = 1.0


def train_head(
    clips: list[Clip],
    *,
    epochs: float,
    seed: int,
    start: PhoneHead | None = None,
    crop: int = 200,
    batch: int = 32,
    rate: float = 2e-3,
    log: "LogLine | None" = None,
) -> PhoneHead:
    """Train on random crops of `crop` frames; every clip is drawn in proportion to its length, `epochs` times over."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    head = start or PhoneHead()
    if start is None:
        sample = random.choice(len(clips), min(len(clips), 400), replace=False)
        head.fit_scale(np.concatenate([clips[i].features for i in sample]))
    lengths = np.array([len(clip.labels) for clip in clips], dtype=np.float64)
    steps = max(1, int(epochs * lengths.sum() / (crop * batch)))
    optimizer = torch.optim.AdamW(head.parameters(), rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    head.train()
    smooth = 0.0
    for step in range(steps):
        chosen = random.choice(len(clips), batch, p=lengths / lengths.sum())
        features = np.zeros((batch, crop, _COLUMNS), np.float32)
        labels = np.full((batch, crop), -1, np.int64)
        weights = np.array([clips[number].weight for number in chosen], np.float32)
        for row, number in enumerate(chosen):
            clip = clips[number]
            first = int(random.integers(0, max(1, len(clip.labels) - crop + 1)))
            part = slice(first, first + crop)
            features[row, : len(clip.labels[part])] = clip.features[part]
            labels[row, : len(clip.labels[part])] = clip.labels[part]
        logits = head(torch.from_numpy(features))
        losses = nn.functional.cross_entropy(
            logits.transpose(1, 2), torch.from_numpy(labels), ignore_index=-1, reduction="none", label_smoothing=0.05
        )
        known = torch.from_numpy((labels >= 0).astype(np.float32) * weights[:, None])
        loss = (losses * known).sum() / known.sum().clamp(min=1.0)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        now = float(loss.detach())
        smooth = now if step == 0 else 0.98 * smooth + 0.02 * now
        if log is not None and (step + 1) % 100 == 0:
            log(step + 1, steps, smooth)
    head.eval()
    return head


class LogLine:
    """Called with step, steps and the smoothed loss."""

    def __call__(self, step: int, steps: int, loss: float) -> None:
        print(f"head: step {step}/{steps}, loss {loss:.3f}", flush=True)


def log_posteriors(head: PhoneHead, features: NDArray[np.float16]) -> NDArray[np.float32]:
    """Natural logarithm of class probabilities [F, 21] for features [F, 672]."""
    with torch.no_grad():
        logits = head(torch.from_numpy(features.astype(np.float32))[None])
        return np.asarray(torch.log_softmax(logits, dim=-1)[0].numpy())


def save_head(head: PhoneHead, path: Path) -> None:
    """Write the parameters as plain arrays (no pickles)."""
    np.savez(path, **{name: value.numpy() for name, value in head.state_dict().items()})


def load_head(path: Path) -> PhoneHead:
    """Read what `save_head` wrote."""
    head = PhoneHead()
    with np.load(path, allow_pickle=False) as arrays:
        head.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    head.eval()
    return head
