"""Streams that begin together are not heard together, and hear what they would hear alone."""

from typing import Any

import numpy as np
import pytest

from facestream.motion import heard_emotion
from facestream.motion.listening import HEARD, LATER_CODES, Listening

CODE, AHEAD, WIDTH = 40, 1, 3


class Ear:
    """Hears three numbers of the samples, and counts rows."""

    def __init__(self) -> None:
        self.rows = 0

    def hear(self, pcm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.rows += len(pcm)
        mean = 0.1 + np.stack([pcm.mean(axis=1), pcm.std(axis=1), pcm[:, -1]], axis=1)
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32), mean.astype(np.float32)


def sounds(rows: int, codes: int) -> np.ndarray:
    """Noise of changing level with a pause in the middle; each third stream begins with silence."""
    random = np.random.default_rng(4)
    pcm = random.standard_normal((rows, codes, CODE)) + random.standard_normal((rows, codes, 1))
    pcm[:, codes // 2 : codes // 2 + 20] = 0.0
    pcm[::3, :7] = 0.0
    return pcm.reshape(rows, -1).astype(np.float32)


def heard(pcm: np.ndarray, rows_at_once: int, follows: np.ndarray | None = None) -> tuple[np.ndarray, list[int]]:
    """Heard emotions `[B, K, 3]` at every code, and how many rows each step heard."""
    ear = Ear()
    listening = Listening(ear, WIDTH, CODE, AHEAD, rows_at_once)
    state: dict[str, Any] = {
        name: np.zeros((len(pcm), *shape), dtype) for name, (shape, dtype) in listening.columns.items()
    }
    past = listening.read_past * CODE
    padded = np.concatenate([np.zeros((len(pcm), past), np.float32), pcm], axis=1)
    found, counts = [], []
    for code in range(pcm.shape[1] // CODE - AHEAD):
        before = ear.rows
        window = padded[:, code * CODE : past + (code + 1 + AHEAD) * CODE]
        now = np.ones(len(pcm), bool) if follows is None else follows[:, code]
        listening.listen(window, np.full(len(pcm), code), now, state)
        found.append(state[HEARD].copy())
        counts.append(ear.rows - before)
    return np.stack(found, axis=1), counts


def test_a_step_hears_a_few_rows_and_no_row_notices() -> None:
    pcm = sounds(16, 60)
    together, counts = heard(pcm, 4)
    at_once, all_counts = heard(pcm, 16)
    np.testing.assert_array_equal(together, at_once)
    begun = 9  # by then the silent beginnings are over: first words are heard when they come
    assert max(counts[begun:]) == 4
    assert max(all_counts[begun:]) == 16, "the control: without a limit all are heard at once"
    for row in (0, 1, 5):
        alone, _ = heard(pcm[row : row + 1], 4)
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


def test_what_is_heard_counts_three_codes_later_and_silence_never() -> None:
    pcm = sounds(2, 60)
    found, counts = heard(pcm, 4)
    changes = np.flatnonzero(np.abs(np.diff(found[1], axis=0)).max(axis=1) > 0) + 1
    due = [code + LATER_CODES for code in range(5, 56, heard_emotion.EVERY_CODES)]
    pieces = pcm[1].reshape(-1, CODE)
    ends = {code: code - LATER_CODES + 1 + AHEAD for code in due}
    silent = [code for code in due if not pieces[max(ends[code] - heard_emotion.WINDOW_CODES, 0) : ends[code]].any()]
    assert silent
    assert changes.tolist() == [code for code in due if code not in silent]
    mean = np.zeros((1, WIDTH), np.float32), np.zeros((1, WIDTH), np.float32), np.zeros(1, np.float32)
    for end in (0, 5):
        sound = pcm[1:2, : (end + 1 + AHEAD) * CODE]
        heard_emotion.follow(*mean, Ear().hear(sound), np.ones(1, np.float32))
    np.testing.assert_allclose(found[1, 5 + LATER_CODES], mean[0][0], atol=1e-6)
    assert sum(counts) < 2 * (1 + len(due)), "silent windows are not even heard"


@pytest.mark.parametrize("rows_at_once", [1, 8])
def test_speech_that_is_followed_again_depends_on_no_batch_mate(rows_at_once: int) -> None:
    pcm = sounds(5, 40)
    follows = np.random.default_rng(3).random((5, 40)) < 0.8
    together, _ = heard(pcm, rows_at_once, follows)
    for row in range(5):
        alone, _ = heard(pcm[row : row + 1], rows_at_once, follows[row : row + 1])
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)
