import numpy as np

from facestream_models.corpus.phones import CLASSES, INDEX
from facestream_models.corpus.store import Utterance
from facestream_models.corpus.targets import targets_of


def spoken(posteriors=None):
    return Utterance(
        key="x", source="test", language="en", voice="v", text="", audio=np.zeros(3200, np.int16), phones=("a", "p"),
        classes=np.array([INDEX["aa"], INDEX["PP"]], np.int8), starts=np.array([0, 1600], np.int32),
        ends=np.array([1600, 3200], np.int32), posteriors=posteriors,
    )  # fmt: skip


def test_class_shares_are_those_of_the_twenty_milliseconds_around_each_instant():
    classes = targets_of(spoken()).classes
    np.testing.assert_allclose(classes.sum(axis=1), 1.0, atol=1e-6)
    assert classes[0, INDEX["aa"]] == 1.0
    np.testing.assert_allclose(classes[5, [INDEX["aa"], INDEX["PP"]]], 0.5)
    assert classes[9, INDEX["PP"]] == 1.0


def test_a_teacher_has_half_of_the_say():
    posteriors = np.zeros((10, len(CLASSES)), np.float16)
    posteriors[:, INDEX["O"]] = 1.0
    classes = targets_of(spoken(posteriors)).classes
    assert classes[2, INDEX["O"]] == 0.5
    assert classes[2, INDEX["aa"]] == 0.5


def test_every_twenty_milliseconds_begun_has_a_frame():
    targets = targets_of(spoken())
    assert [len(part) for part in targets] == [10, 10, 10]
