"""Customers drawn again and again, as blocks with all their rows: intervals of any figure made from sums over rows.

Rows of one customer on many dates are not independent, so what is drawn is the customer (Efron and Tibshirani, *An
Introduction to the Bootstrap*, 1993, ch. 8). A draw is a Poisson count, so that a resample is a row of weights and
every sum of it one matrix product.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

Floats = npt.NDArray[np.float64]

RESAMPLES = 500
SEED = 20170101
# Customers beyond so many are drawn in groups, made from a hash of their key: groups of independent customers are as
# independent, and a million customers then cost what twenty thousand do.
MAX_BLOCKS = 20_000


def blocks_of(customers: pd.Series, at_most: int = MAX_BLOCKS) -> npt.NDArray[np.intp]:
    """The number of each row's block, shape (n_rows,); it depends on the set of customers, and not on their order."""
    codes, names = pd.factorize(customers.astype(str), sort=True)
    if len(names) <= at_most:
        return codes
    hashed = pd.util.hash_array(np.asarray(names, dtype=object)) % at_most
    return np.unique(hashed, return_inverse=True)[1][codes]


def draws(block_count: int, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """How often each block is drawn in each resample, shape (n_resamples, n_blocks)."""
    return np.random.default_rng(seed).poisson(1.0, size=(resamples, block_count)).astype(np.float64)


def drawn_sums(values: Floats, blocks: npt.NDArray[np.intp], times: Floats) -> Floats:
    """Sums of columns over all rows, as they are and in each resample.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns)
    blocks : array of shape (n_rows,), see `blocks_of`
    times : array of shape (n_resamples, n_blocks), see `draws`

    Returns
    -------
    array of shape (1 + n_resamples, n_columns); the first row is the sums of the rows as they are
    """
    membership = sparse.csr_array(
        (np.ones(len(blocks)), (blocks, np.arange(len(blocks)))), shape=(times.shape[1], len(blocks))
    )
    by_block = np.asarray(membership @ values)
    return np.vstack([by_block.sum(axis=0, keepdims=True), times @ by_block])


def drawn_counts(cells: npt.NDArray[np.intp], cell_count: int, blocks: npt.NDArray[np.intp], times: Floats) -> Floats:
    """Rows in each cell, as they are and in each resample; shape (1 + n_resamples, cell_count)."""
    table = sparse.csr_array((np.ones(len(cells)), (blocks, cells)), shape=(times.shape[1], cell_count))
    counted = np.asarray(table.sum(axis=0), dtype=np.float64).reshape(1, -1)
    return np.vstack([counted, np.asarray((table.T @ times.T).T)])


def interval(figures: Floats) -> tuple[float, float, float]:
    """Value and 95% percentile interval of figures as `drawn_sums` orders them: the value first, then the resamples."""
    value, known = float(figures[0]), figures[1:][~np.isnan(figures[1:])]
    if np.isnan(value) or not len(known):
        return value, np.nan, np.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return value, float(min(low, value)), float(max(high, value))


def figures_of(sums: Floats, figure: Callable[[Floats], Floats]) -> tuple[float, float, float]:
    """`interval` of a figure that is a function of the columns of sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return interval(figure(sums))
