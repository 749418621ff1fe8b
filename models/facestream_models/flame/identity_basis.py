"""A hundred identity components: principal components over faces drawn from MakeHuman's own controls."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from facestream_models.flame.head import Float64
from facestream_models.flame.makehuman import MakeHuman

FOLDERS = (
    "asym", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose",
)  # fmt: skip
_AGES = ("young", "old")
_RACES = ("african", "asian", "caucasian")
_SEXES = ("female", "male")
_DETAIL = 0.35
"""Spread of one detail slider among people; at 1 every face would be a caricature."""

_PERSON = 1.0


@dataclass(frozen=True)
class IdentityBasis:
    """`dirs` [V, 3, S], one standard deviation each; `variance_kept` 0..1; `target_count` controls used."""

    dirs: Float64
    variance_kept: float
    target_count: int


def fit_identity_basis(source: MakeHuman, carry: csr_array, count: int) -> IdentityBasis:
    """Principal components of the population in which every control varies independently.

    A control's target d with spread s adds s^2 d d^T to the covariance, so the components are the left singular
    vectors of the stacked targets; nobody has to be sampled. Rigid shifts of the whole head are taken out.
    """
    people = [
        source.target(f"macrodetails/{race}-{sex}-{age}") - source.target("macrodetails/caucasian-female-young")
        for race in _RACES for sex in _SEXES for age in _AGES
    ]  # fmt: skip
    targets = [(_PERSON / np.sqrt(len(people)), person - np.mean(people, axis=0)) for person in people]
    targets += [(_DETAIL, source.target(path)) for path in source.identity_targets(*FOLDERS)]
    rows = []
    for spread, target in targets:
        displacement = carry @ target
        rows.append(spread * (displacement - displacement.mean(axis=0)).ravel())
    stacked = np.array(rows)
    # The Gram matrix is small (a few hundred controls), the vectors are long.
    values, vectors = np.linalg.eigh(stacked @ stacked.T)
    order = np.argsort(values)[::-1][:count]
    dirs = vectors[:, order].T @ stacked
    dirs *= np.where((dirs**3).sum(axis=1) < 0, -1.0, 1.0)[:, None]
    return IdentityBasis(
        dirs.reshape(count, -1, 3).transpose(1, 2, 0), float(values[order].sum() / values.sum()), len(targets)
    )
