"""Shapley values of any model, by walking from the reference to the row and back: for models that have no shorter way.

Features take on the row's values one after the other, in a random order and in the reverse of it; each is given what
its step changed, the mean of both walks (Castro, Gómez and Tejada, *Polynomial calculation of the Shapley value based
on sampling*, Computers & Operations Research 36, 2009; the reverse: Mitchell et al., *Sampling permutations for Shapley
value estimation*, JMLR 23, 2022). The steps of a walk add up to margin(row) - margin(reference), whatever the order,
and one pair is exact for a model in which no more than two features interact.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

SEED = 20170101
PAIRS = 1


def sampled_contributions(
    margin: Callable[[pd.DataFrame], Floats], rows: pd.DataFrame, reference: pd.DataFrame, pairs: int = PAIRS
) -> Floats:
    """Contributions of the rows, shape (n_rows, n_features); they add up to margin(row) - margin(reference).

    Costs ``2 * pairs * n_features`` passes of the model over the rows. All rows share the same orders, so that a row's
    figures do not depend on who else is asked for.

    Parameters
    ----------
    margin : rows -> array of shape (n_rows,)
    rows : DataFrame of shape (n_rows, n_features)
    reference : DataFrame of one row, the same columns
    pairs : how many orders are walked, each with its reverse
    """
    names = list(rows.columns)
    found = np.zeros((len(rows), len(names)))
    if not len(rows):
        return found
    start = np.full(len(rows), margin(reference)[0])
    generator = np.random.default_rng(SEED)
    for _ in range(pairs):
        order = generator.permutation(len(names))
        for walk in (order, order[::-1]):
            mixed = pd.concat([reference] * len(rows), ignore_index=True)
            before = start
            for place in walk:
                mixed[names[place]] = rows[names[place]].to_numpy()
                after = margin(mixed)
                found[:, place] += after - before
                before = after
    return found / (2 * pairs)
