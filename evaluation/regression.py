"""Fits the logistic regression that turns evidence into a probability, no weight of the wrong sign."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

REGULARISATION = 0.002


class Example(NamedTuple):
    """What was measured of a pair of photos, and the group that it belongs to."""

    group: str
    values: Mapping[str, float]


def fit(examples: Sequence[Example], *, wanted: str, group_weights: Mapping[str, float]) -> dict[str, Any]:
    """Returns the weights by name and the intercept of a logistic regression for being of the group `wanted`.

    Groups weigh what `group_weights` says. No weight is above zero: more parallax never makes a copy more likely,
    whatever a few hundred examples say.
    """
    names = sorted(examples[0].values)
    table = np.array([[one.values[name] for name in names] for one in examples])
    groups = np.array([one.group for one in examples])
    each = {group: group_weights[group] / np.count_nonzero(groups == group) for group in np.unique(groups)}
    middle, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-9)
    shares = np.array([each[group] for group in groups])
    weights, intercept = _minimised((table - middle) / spread, np.where(groups == wanted, 1.0, -1.0), shares)
    weights = weights / spread
    return {
        "weights": {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)},
        "intercept": round(float(intercept - weights @ middle), 4),
    }


def _minimised(table: np.ndarray, signs: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the weights, float64 [measures], and the intercept that have the least logistic loss, L2 added.

    table: float64 [examples, measures]; signs: 1 for what is wanted, -1 for the rest; shares: what an example weighs.
    """
    terms = np.column_stack([table, np.ones(len(table))])
    regularised = np.append(np.full(table.shape[1], REGULARISATION), 0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (terms @ weights)
        slopes = weights * regularised
        value = shares @ np.logaddexp(0, -margins) + weights @ slopes / 2
        return float(value), slopes - terms.T @ (shares * signs * expit(-margins))

    bounds = [(None, 0)] * table.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(terms.shape[1]), jac=True, bounds=bounds).x
    return found[:-1], float(found[-1])
