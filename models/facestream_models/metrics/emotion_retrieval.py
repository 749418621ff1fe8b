"""Whether speech finds the face of its emotion among faces of all emotions, and a face its speech.

A query meets a gallery that holds one item of each emotion; it is right at rank 1 when the item of its own emotion is
the most similar. Which items make up a gallery is chance, so the expectation over *all* galleries is taken, without
drawing any:

    rank1(q) = mean over right items r of  product over the other emotions c of  P(similarity(q, item of c) < that of r)

Chance is one over the number of emotions. The measure is that of the DEEPTalk specification, section 1.3 (cross-modal
retrieval by similarity of the two Gaussians), asked by emotion instead of by clip.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Retrieval(NamedTuple):
    """`rank1` over all queries, `by_emotion` [emotions] over those of each emotion (NaN without any), `chance`."""

    rank1: float
    by_emotion: NDArray[np.float64]
    chance: float


def retrieval(
    similarity: NDArray[np.floating],
    queries: NDArray[np.integer],
    items: NDArray[np.integer],
    emotions: int,
    excluded: NDArray[np.bool_] | None = None,
) -> Retrieval:
    """Expected rank 1 of `similarity` [Q, G] with the emotion of each query [Q] and item [G].

    `excluded` [Q, G] marks pairs that never meet, such as the two sides of one clip: what is said must not help.
    Equal similarities count half. Raises ValueError where a query has no item of some emotion to meet.
    """
    met = np.ones(similarity.shape, np.bool_) if excluded is None else ~excluded
    found = np.array(
        [_rank1(row[kept], items[kept], int(own), emotions)
         for row, kept, own in zip(similarity, met, queries, strict=True)]
    )  # fmt: skip
    by_emotion = np.array([found[queries == number].mean() if (queries == number).any() else np.nan
                           for number in range(emotions)])  # fmt: skip
    return Retrieval(float(found.mean()), by_emotion, 1.0 / emotions)


def _rank1(similarity: NDArray[np.floating], items: NDArray[np.integer], own: int, emotions: int) -> float:
    groups = [np.sort(similarity[items == number]) for number in range(emotions)]
    if not all(map(len, groups)):
        raise ValueError(f"no item of emotion {[len(group) for group in groups].index(0)} to retrieve")
    right = groups[own]
    won = np.ones(len(right))
    for rivals in groups[:own] + groups[own + 1 :]:
        below = np.searchsorted(rivals, right, "left") + np.searchsorted(rivals, right, "right")
        won *= below / (2.0 * len(rivals))
    return float(won.mean())
