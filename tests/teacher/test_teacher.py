from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.phones import CLASSES, INDEX
from facestream_models.corpus.real import Recording
from facestream_models.corpus.segments import Segment, pause, utterance
from facestream_models.teacher.dataset import frame_labels
from facestream_models.teacher.distort import distort
from facestream_models.teacher.features import FEATURES, MELS, log_mel, mel_filters, pack
from facestream_models.teacher.head import Clip, load_head, log_posteriors, save_head, train_head
from facestream_models.teacher.score import compare_bilabials, score_teacher


def test_a_tone_lies_in_the_mel_band_around_its_frequency() -> None:
    centres = mel_filters() @ np.fft.rfftfreq(400, 1 / 16_000) / mel_filters().sum(axis=1)
    for hertz in (300.0, 1000.0, 3000.0, 6500.0):
        tone = np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000).astype(np.float32)
        mel = log_mel(tone)
        assert mel.shape == (80, 100)
        assert abs(centres[mel[:, 50].argmax()] - hertz) < 0.04 * hertz + 40
        assert mel.max() - mel.min() <= 2.0 + 1e-5


@given(st.lists(st.integers(1, 480_000), max_size=40))
def test_packing_keeps_order_loses_nothing_and_overlaps_nothing(lengths: list[int]) -> None:
    windows = list(pack(lengths))
    assert [number for window in windows for number, _ in window] == list(range(len(lengths)))
    for window in windows:
        position = 0
        for number, first in window:
            assert first >= position
            assert first % 320 == 0
            position = first + lengths[number]
        assert position <= 240_000 or len(window) == 1


def test_too_long_an_utterance_is_refused() -> None:
    with pytest.raises(ValueError, match="480001"):
        list(pack([480_001]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_distortion_keeps_length_and_time(seed: int) -> None:
    sound = np.zeros(16_000, np.float32)
    sound[8000:9600] = np.sin(np.arange(1600) * 0.4)
    distorted = distort(sound, np.random.default_rng(seed))
    assert distorted.shape == sound.shape
    assert np.all(np.isfinite(distorted))
    assert 0.04 < np.max(np.abs(distorted)) <= 1.0
    energy = np.square(distorted.astype(np.float64)).reshape(10, 1600).sum(axis=1)
    assert energy.argmax() == 5


def test_frame_labels_are_taken_at_frame_centres() -> None:
    made = utterance(
        key="", source="", language="", voice="", text="", audio=np.zeros(1000),
        segments=[
            pause(0, 0.0295), Segment("p", INDEX["PP"], 0.0295, 0.0505), Segment("a", INDEX["aa"], 0.0505, 0.0625),
        ],
    )  # fmt: skip
    assert frame_labels(made).tolist() == [0, INDEX["PP"], INDEX["PP"], INDEX["sil"]]


@pytest.mark.slow
def test_a_head_learns_and_is_saved_without_loss(tmp_path: Path) -> None:
    """Classes are planted in the features; the negative control has them shuffled."""
    random = np.random.default_rng(0)
    codes = random.standard_normal((len(CLASSES), FEATURES + 2 * MELS))

    def clips(*, planted: bool) -> list[Clip]:
        made = []
        for _ in range(12):
            labels = np.repeat(random.integers(0, len(CLASSES), 40), 5).astype(np.int8)
            heard = labels if planted else random.permutation(labels)
            features = codes[heard] + 0.5 * random.standard_normal((200, FEATURES + 2 * MELS))
            made.append(Clip(features.astype(np.float16), labels))
        return made

    torch.set_num_threads(1)
    accuracy = {}
    for planted in (True, False):
        trained = train_head(clips(planted=planted), epochs=4, seed=1, crop=40, batch=5)
        test = clips(planted=planted)[0]
        guess = log_posteriors(trained, test.features).argmax(axis=1)
        accuracy[planted] = float((guess == test.labels).mean())
        if planted:
            save_head(trained, tmp_path / "head.npz")
            again = load_head(tmp_path / "head.npz")
            np.testing.assert_allclose(
                log_posteriors(again, test.features), log_posteriors(trained, test.features), atol=1e-6
            )
    assert accuracy[True] > 0.8
    assert accuracy[False] < 0.3


def test_scores_tell_a_late_teacher_from_a_good_one() -> None:
    reference = [
        (INDEX["sil"], 0.0, 0.2), (INDEX["PP"], 0.2, 0.28), (INDEX["aa"], 0.28, 0.48), (INDEX["PP"], 0.48, 0.56),
        (INDEX["I"], 0.56, 0.8), (INDEX["sil"], 0.8, 1.0),
    ]  # fmt: skip
    path = np.concatenate([[c] * round((end - start) * 50) for c, start, end in reference])
    rows = np.full((50, len(CLASSES)), -8.0, np.float32)
    rows[np.arange(50), path] = -0.01
    good = score_teacher([(reference, rows)])
    assert good.accuracy == good.speech_accuracy == good.bilabials == good.initial_bilabials == 1.0
    assert good.offset_ms == 0
    assert good.false_bilabials == 0.0
    late = score_teacher([(reference, np.roll(rows, 3, axis=0))])
    assert late.offset_ms == 60
    assert late.accuracy < 0.9
    deaf = score_teacher([(reference, np.roll(rows, 4, axis=1))])
    assert deaf.bilabials == 0.0


def test_a_shifted_alignment_is_measured_as_shifted() -> None:
    reference = [(INDEX["PP"], 0.5 * n, 0.5 * n + 0.08) for n in range(20)]
    shifted = [(class_index, start + 0.05, end + 0.05) for class_index, start, end in reference]
    check = compare_bilabials([(reference, shifted)])
    assert check.tokens == check.matched == 20
    assert check.median_ms == pytest.approx(50.0)
    assert (check.within_40_ms, check.within_80_ms, check.deviation_ms) == (0.0, 1.0, 0.0)
    assert compare_bilabials([(reference, [(INDEX["aa"], 0.0, 10.0)])]).matched == 0


def test_grid_words_are_bounded_by_their_times() -> None:
    real_labels = pytest.importorskip("facestream_models.teacher.real_labels")
    import shutil

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    words = ((0.0, 0.5, "sil"), (0.5, 0.7, "bin"), (0.7, 0.8, "a"), (0.8, 1.0, "sp"))
    recording = Recording("bbaf2n", "en-gb", "", np.zeros(16_000, np.float32), words)
    made = real_labels.words_to_align(recording)
    assert [(round(w.earliest, 2), round(w.latest, 2)) for w in made] == [(0.4, 0.8), (0.6, 0.9)]
    assert [CLASSES[part.class_index] for part in made[1].phones[0]] == ["E", "I"]  # the letter's name, not the article
