"""From raw scores to probabilities: a curve for all rows, and a shift for each type of campaign.

The curve is Platt's (two numbers) or, with many rows, the beta calibration of Kull, Silva Filho and Flach (*Beta
calibration*, AISTATS 2017, eq. 2: three numbers), of which Platt's is the case that treats both ends alike. The base
rate of a campaign follows its type, so each type gets a shift of its own on the scale of log-odds, shrunk towards none:
a type with few rows stays at the common curve.

What corrects models of the past need not fit the one that ships, which has learned from more. So a curve, and shifts,
are taken only if they would have helped before: those made from earlier parts of the slice that calibrates, applied to
its later parts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

# With fewer rows of either class the two numbers of Platt would be noise; from so many on, the third one is none.
MIN_ROWS_PER_CLASS = 30
BETA_ROWS_PER_CLASS = 1_000
# A type's odds are believed to differ from the others' by a factor of 1.6 (e to this) in one case of three.
SHIFT_SPREAD = 0.5
PRECISION = 6


@dataclass(frozen=True)
class Calibration:
    """``logit(calibrated) = slope * logit(raw) + bend * log(raw) + intercept + shift of the type``.

    (1, 0) leaves probabilities as they are. `slope` and ``slope + bend`` are not negative, so that within a type no two
    rows change places.

    Attributes
    ----------
    slope, intercept : float
        Platt's two numbers.
    bend : float
        Third number of the beta calibration; 0 for Platt's.
    shifts : mapping of type to log-odds
        A type that is not there has 0.
    """

    slope: float = 1.0
    intercept: float = 0.0
    bend: float = 0.0
    shifts: Mapping[str, float] = field(default_factory=dict)

    def apply(self, probabilities: Floats, types: npt.ArrayLike | None = None) -> Floats:
        """Calibrated probabilities in the same order.

        Parameters
        ----------
        probabilities : array of shape (n_rows,)
        types : array of text, shape (n_rows,), optional; without it nothing is shifted
        """
        shift = self._shift(types) if self.shifts and types is not None else 0.0
        calibrated: Floats = _expit(self._curve(probabilities) + shift)
        return calibrated

    def _curve(self, probabilities: Floats) -> Floats:
        return self.slope * _logit(probabilities) + self.bend * np.log(_inside(probabilities)) + self.intercept

    def _shift(self, types: npt.ArrayLike) -> Floats:
        names, which = np.unique(np.asarray(types, dtype=object).astype(str), return_inverse=True)
        by_name: Floats = np.array([self.shifts.get(name, 0.0) for name in names])
        return by_name[which]


def _inside(probabilities: Floats) -> Floats:
    return np.clip(probabilities, 1e-6, 1 - 1e-6)


def _logit(probabilities: Floats) -> Floats:
    clipped = _inside(probabilities)
    return np.log(clipped) - np.log1p(-clipped)


def _expit(logits: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-logits))
    return found


def rows_per_class(labels: Labels) -> int:
    """Rows of the rarer class; 0 if there is one class only."""
    return int(min(labels.sum(), len(labels) - labels.sum()))


@dataclass(frozen=True)
class OutOfTime:
    """What a model said of rows later than those it learned from, and what happened.

    Attributes
    ----------
    raw : array of shape (n_rows,)
        Uncalibrated.
    labels : array of 0 and 1, shape (n_rows,)
    types : array of text, shape (n_rows,), or None
    seen : array of shape (n_rows,), or None
        Share of the events that could have been seen: a label is 1 with ``seen * probability``. None: all.
    """

    raw: Floats
    labels: Labels
    types: npt.NDArray[np.object_] | None = None
    seen: Floats | None = None

    def loss(self, calibration: Calibration) -> float:
        """Negative log-likelihood of the labels, in nats."""
        chance = _inside(calibration.apply(self.raw, self.types))
        chance = chance if self.seen is None else chance * self.seen
        return float(-(self.labels * np.log(chance) + (1 - self.labels) * np.log1p(-chance)).sum())


def _joined(parts: Sequence[OutOfTime]) -> OutOfTime:
    first = parts[0]
    return OutOfTime(
        np.concatenate([part.raw for part in parts]),
        np.concatenate([part.labels for part in parts]),
        None if first.types is None else np.concatenate([part.types for part in parts if part.types is not None]),
        None if first.seen is None else np.concatenate([part.seen for part in parts if part.seen is not None]),
    )


def calibrate(parts: Sequence[OutOfTime], plain: Calibration) -> tuple[Calibration, dict[str, float]]:
    """Take the calibration that would have helped most: none, the curve, or the curve with a shift for each type.

    Each part but the first is calibrated by what the parts before it say; the kind with the lowest loss in sum is then
    fitted to all parts. A single part cannot tell: it gets the curve.

    Parameters
    ----------
    parts : in time order, each predicted by a model that had learned from before it
    plain : what stands without a calibration, see `unweighted`

    Returns
    -------
    Calibration
    losses : kind -> mean loss per row of the parts but the first; empty if there is one part at most
    """
    kinds: dict[str, Callable[[OutOfTime], Calibration]] = {
        "none": lambda _: plain,
        "curve": lambda known: fit_calibration(known.raw, known.labels, None, known.seen, plain),
    }
    if parts and parts[0].types is not None:
        kinds["curve and types"] = lambda known: fit_calibration(
            known.raw, known.labels, known.types, known.seen, plain
        )
    if not parts:
        return plain, {}
    if len(parts) == 1:
        return kinds["curve"](parts[0]), {}
    rows = sum(len(part.labels) for part in parts[1:])
    losses = {
        name: sum(part.loss(fit(_joined(parts[:at]))) for at, part in enumerate(parts) if at) / max(rows, 1)
        for name, fit in kinds.items()
    }
    return kinds[min(losses, key=lambda name: losses[name])](_joined(parts)), losses


def unweighted(labels: Labels, is_balanced: bool) -> Calibration:
    """What undoes equal weights of both classes: the odds of the training rows; nothing where there were no weights."""
    positives = int(labels.sum())
    if not is_balanced or not 0 < positives < len(labels):
        return Calibration()
    return Calibration(1.0, round(float(np.log(positives / (len(labels) - positives))), PRECISION))


def fit_calibration(
    probabilities: Floats,
    labels: Labels,
    types: npt.ArrayLike | None = None,
    seen: Floats | None = None,
    otherwise: Calibration = Calibration(),
) -> Calibration:
    """Fit the curve, and the shifts of types, to predictions made for rows later than those the model learned from.

    Few rows of one class, or a fit that would turn the order around, give `otherwise`.

    Parameters
    ----------
    probabilities : array of shape (n_rows,)
    labels : array of 0 and 1, shape (n_rows,)
    types : array of text, shape (n_rows,), optional
    seen : array of shape (n_rows,), optional
        Share of the events that could have been seen: a label is 1 with ``seen * calibrated``. Without it: all.
    otherwise : what stands without a fit, see `unweighted`
    """
    rows = rows_per_class(labels)
    if rows < MIN_ROWS_PER_CLASS:
        return otherwise
    share = np.ones(len(labels)) if seen is None else seen
    inputs = [_logit(probabilities)]
    if rows >= BETA_ROWS_PER_CLASS:
        inputs.append(np.log(_inside(probabilities)))
    found = _fitted(inputs, labels, share)
    if len(inputs) == 2 and (found[0] < 0 or found[0] + found[1] < 0):
        inputs = inputs[:1]
        found = _fitted(inputs, labels, share)
    if found[0] <= 0:
        return otherwise
    numbers = [round(float(number), PRECISION) for number in found]
    curve = Calibration(numbers[0], numbers[-1], numbers[1] if len(inputs) == 2 else 0.0)
    if types is None:
        return curve
    names = np.asarray(types, dtype=object).astype(str)
    logits = curve._curve(probabilities)
    shifts = {}
    for name in sorted(set(names)):
        inside = names == name
        shifts[str(name)] = _shift_of(logits[inside], labels[inside], share[inside])
    return Calibration(curve.slope, curve.intercept, curve.bend, shifts)


def _loss(logits: Floats, labels: Labels, seen: Floats) -> tuple[float, Floats]:
    """Negative log-likelihood of labels that are 1 with ``seen * expit(logits)``, and its slope by each logit."""
    chance = _expit(logits)
    likely = np.where(labels == 1, chance, 1.0 - seen * chance)
    slopes = np.where(labels == 1, chance - 1.0, seen * chance * (1.0 - chance) / np.maximum(likely, 1e-12))
    return float(-np.log(np.maximum(likely, 1e-12)).sum()), slopes


def _fitted(inputs: list[Floats], labels: Labels, seen: Floats) -> Floats:
    """The weights of highest likelihood, without penalty, from a start that changes nothing."""
    columns = np.column_stack([*inputs, np.ones(len(labels))])

    def loss(weights: Floats) -> tuple[float, Floats]:
        value, slopes = _loss(columns @ weights, labels, seen)
        return value / len(labels), columns.T @ slopes / len(labels)

    start = np.zeros(columns.shape[1])
    start[0] = 1.0
    # Rows that a threshold parts have no maximum: the bounds end the way there.
    found: Floats = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(-20.0, 20.0)] * len(start), options={"ftol": 1e-12}
    ).x
    return found


def _shift_of(logits: Floats, labels: Labels, seen: Floats) -> float:
    """The shift with the highest posterior, its prior a normal one around 0 with `SHIFT_SPREAD`."""
    found = minimize_scalar(
        lambda shift: _loss(logits + shift, labels, seen)[0] + shift**2 / (2 * SHIFT_SPREAD**2),
        bounds=(-5.0, 5.0),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return round(float(found.x), PRECISION)
