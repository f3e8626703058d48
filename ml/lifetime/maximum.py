"""Likelihoods at their maximum: a quasi-Newton search that begins on a part of the data where there is much of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]

# Logarithms of the parameters are searched in ±BOUND: 6e-6 to 1.6e5.
BOUND = 12.0


class NotConvergedError(ArithmeticError):
    """The search for the parameters did not end; the message says where it stood."""


@dataclass(frozen=True)
class Maximum:
    """Where the maximum lies, and how high it is."""

    at: Floats
    value: float


def maximize(likelihood: Callable[[Any], Any], stages: Sequence[Any], start: Floats, max_iterations: int) -> Maximum:
    """The maximum of ``likelihood(stages[-1])``, found by way of the earlier stages.

    Each stage starts where the one before ended, and takes its curvature there as the unit of its steps: on all data
    few steps are left to be made.

    Parameters
    ----------
    likelihood : callable
        Of a stage's data; gives a callable with the attribute ``weight`` (customers), from parameters to value and
        gradient.
    stages : data, from part to all
    start : array of shape (n_parameters,)

    Raises
    ------
    NotConvergedError
        If the search on all data does not come to an end within `max_iterations`.
    """
    at, units = start, None
    for number, data in enumerate(stages):
        function = likelihood(data)
        found = _search(function, at, units, max_iterations)
        at = found.x
        if number + 1 < len(stages):
            units = _units(function, at)
    if not np.isfinite(found.fun) or found.status == 1:
        raise NotConvergedError(
            f"no maximum of the likelihood within {max_iterations} steps; the logarithms of the parameters stood at "
            f"{np.round(at, 4).tolist()}. Next: look at the histories, or allow more steps (max_iterations)."
        )
    return Maximum(at, float(function(at)[0]))


def _search(function: Any, start: Floats, units: Floats | None, max_iterations: int) -> Any:
    """L-BFGS-B on the mean over customers; with `units` in steps of theirs, unless that leaves the bounds."""

    def mean(logs: Floats) -> tuple[float, Floats]:
        value, gradient = function(logs)
        return -value / function.weight, -gradient / function.weight

    options = {"maxiter": max_iterations, "ftol": 1e-13, "gtol": 1e-7}
    if units is not None:

        def in_units(steps: Floats) -> tuple[float, Floats]:
            value, gradient = mean(np.clip(start + units @ steps, -BOUND, BOUND))
            return value, units.T @ gradient

        found = minimize(in_units, np.zeros(len(start)), jac=True, method="L-BFGS-B", options=options)
        found.x = start + units @ found.x
        if found.status != 1 and (np.abs(found.x) < BOUND).all():
            return found
    bounds = [(-BOUND, BOUND)] * len(start)
    return minimize(mean, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)


def _units(function: Any, at: Floats) -> Floats | None:
    """A root of the inverse curvature at a maximum, shape (n_parameters, n_parameters); None where it has none."""
    moves = 1e-4 * np.eye(len(at))
    curvature = np.array([function(at - move)[1] - function(at + move)[1] for move in moves]) / 2e-4 / function.weight
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    if values[0] <= 1e-9 * values[-1]:
        return None
    units: Floats = vectors / np.sqrt(values)
    return units
