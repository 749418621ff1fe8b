"""How much of a codebook is in use (arXiv 1711.00937, section 4: perplexity of the codes)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class CodeUse(NamedTuple):
    """`perplexity`: exp of the entropy of the codes, as many as if all in use were used alike. `used` at all, `of`."""

    perplexity: float
    used: int
    of: int


def code_use(codes: NDArray[np.integer], size: int) -> CodeUse:
    """Use of a codebook of `size` codes by `codes` [...]. Raises ValueError for a code outside of it, or none."""
    if codes.size == 0 or codes.min() < 0 or codes.max() >= size:
        raise ValueError(f"codes must be one or more numbers in 0..{size - 1}")
    counts = np.bincount(codes.ravel(), minlength=size)
    share = counts[counts > 0] / codes.size
    return CodeUse(float(np.exp(-(share * np.log(share)).sum())), int((counts > 0).sum()), size)
