"""Whether a challenger takes the champion's place: what is asked, on rows that neither has learned from.

Three things are asked of it, on the same rows and the same resamples of customers:

- It is better: the paired gain in log loss has a 95% interval above 0. Log loss is a proper score: no model gains by
  saying anything but what it believes, and it sees what a ranking cannot, a probability that is off.
- It is not inferior in any large slice: there the gain lies above minus a margin, with a bound that holds for all
  slices together (the maximum of studentized resamples; Westfall and Young, *Resampling-Based Multiple Testing*, 1993).
- It is calibrated: no figure of its calibration lies outside its bounds by more than noise.

The first champion is held against what a person would use without a model in the same way.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.special import expit

from ml import resampling
from ml.evaluation import BLOCK_SIZE, calibration_bins, roc_auc
from ml.frames import as_days, in_key_order, require_columns
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Verdict = Literal["promoted", "refused"]

PROMOTED: Verdict = "promoted"
REFUSED: Verdict = "refused"
ALL_ROWS = "all"
CHECK_COLUMNS = (
    "check_name",
    "against",
    "slice",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "bound_low",
    "bound_high",
    "rows",
    "positives",
    "has_passed",
)
# Probabilities nearer to 0 or 1 are taken as this: one impossible event would outweigh all others.
NEAREST = 1e-6
FIGURE_DIGITS = 6


@dataclass(frozen=True)
class Rules:
    """What is asked.

    Attributes
    ----------
    margin : float
        How much log loss a large slice may lose, as a share of the log loss of the base rate over all rows: of all that
        there is to know about the label.
    min_slice_rows, min_slice_class_rows : int
        A slice with fewer rows, or fewer of either label, is not large: its bound would be wider than the margin.
    min_class_rows : int
        With fewer rows of either label nothing can be decided.
    odds_bound : float
        The odds of what happened may be so many times those of what was said, or the inverse.
    slope_bounds : (float, float)
        What happened over the log-odds of what was said: 1 is perfect, below it the model is too sure of itself.
    calibration_error_bound : float
        Mean distance of said and observed rate over tenths, as a share of the rate of the rarer label.
    resamples : int
    """

    margin: float = 0.05
    min_slice_rows: int = 500
    min_slice_class_rows: int = 50
    min_class_rows: int = 30
    odds_bound: float = 1.25
    slope_bounds: tuple[float, float] = (0.8, 1.25)
    calibration_error_bound: float = 0.15
    resamples: int = 1000


@dataclass(frozen=True)
class Decision:
    """Whether the challenger is promoted.

    Attributes
    ----------
    verdict : ``"promoted"`` or ``"refused"``
    reasons : tuple of str
        A sentence each, with its figures; of a refusal what speaks against it comes first.
    checks : DataFrame with `CHECK_COLUMNS`
        A row for each figure that was held against bounds. `has_passed` is null for slices that are not large.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    checks: pd.DataFrame

    @property
    def is_promoted(self) -> bool:
        """Whether the challenger is champion from now on."""
        return self.verdict == PROMOTED

    @property
    def in_words(self) -> str:
        """The reasons as one text."""
        return " ".join(self.reasons)


def refusal(reason: str) -> Decision:
    """A refusal without figures: there was nothing to judge, or nothing to judge on."""
    return Decision(REFUSED, (reason,), _table([]))


def decide(
    rows: pd.DataFrame,
    labels: npt.ArrayLike,
    challenger: npt.ArrayLike,
    opponents: Mapping[str, npt.ArrayLike],
    rankings: Mapping[str, npt.ArrayLike] | None = None,
    slices: pd.DataFrame | None = None,
    rules: Rules | None = None,
) -> Decision:
    """Hold a challenger against its opponents on rows that none of them has learned from.

    Parameters
    ----------
    rows : DataFrame with customer_id, as_of_date and, for offers, campaign_id; one row for each prediction
        In any order, which changes nothing.
    labels : array of 0 and 1, shape (n_rows,)
    challenger : array of shape (n_rows,), probabilities
    opponents : name -> probabilities of shape (n_rows,)
        The champion alone; where there is none, all baselines that have to be beaten.
    rankings : name -> scores of shape (n_rows,), the more likely the higher
        Baselines that are no probabilities: they are to be beaten by ROC-AUC.
    slices : DataFrame with customer_id, as_of_date, campaign_id (optional) and slice
        Which rows are in which slice; a row may be in several, or in none.
    rules : Rules

    Raises
    ------
    MissingColumnsError
        If a key is not there.
    ValueError
        If a key is repeated, arrays differ in length, or a probability or label is none.
    """
    rules = rules or Rules()
    case = _Case.of(rows, labels, challenger, opponents, rankings or {}, rules.resamples)
    if case.rarer < rules.min_class_rows:
        return refusal(
            f"The hold-out has {len(case.labels):,} rows and {case.rarer} of the rarer label, and "
            f"{rules.min_class_rows} are needed to tell a model from noise."
        )
    with one_thread():
        found = [
            *(_better(case, name) for name in case.opponents),
            *(_ranks_better(case, name) for name in case.rankings),
            _not_inferior(case, slices, rules),
            *_calibrated(case, rules),
        ]
    failed = [finding for finding in found if not finding.has_passed]
    said = [*failed, *(finding for finding in found if finding.has_passed)]
    return Decision(
        REFUSED if failed else PROMOTED,
        tuple(finding.sentence for finding in said),
        _table([row for finding in found for row in finding.rows]),
    )


@dataclass(frozen=True)
class _Finding:
    has_passed: bool
    sentence: str
    rows: list[dict[str, object]]


@dataclass(frozen=True)
class _Case:
    """Everything in key order, with the draws that all checks share."""

    keys: pd.DataFrame
    labels: Floats
    challenger: Floats
    opponents: dict[str, Floats]
    rankings: dict[str, Floats]
    blocks: npt.NDArray[np.intp]
    times: Floats

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        labels: npt.ArrayLike,
        challenger: npt.ArrayLike,
        opponents: Mapping[str, npt.ArrayLike],
        rankings: Mapping[str, npt.ArrayLike],
        resamples: int,
    ) -> "_Case":
        names = [name for name in ("customer_id", "as_of_date", "campaign_id") if name != "campaign_id" or name in rows]
        require_columns(rows, names, "the judged rows")
        if not opponents and not rankings:
            raise ValueError("nothing to hold the challenger against. Next: give the champion or the baselines.")
        given = {"labels": labels, "the challenger": challenger, **opponents, **rankings}
        arrays = {name: np.asarray(values, dtype=np.float64) for name, values in given.items()}
        for name, values in arrays.items():
            if values.shape != (len(rows),):
                raise ValueError(f"{name}: {values.shape} values for {len(rows)} judged rows.")
            is_wrong = np.isnan(values) if name in rankings else ~((values >= 0) & (values <= 1))
            if is_wrong.any():
                what = "no number" if name in rankings else "no probability"
                raise ValueError(f"{name}: {values[is_wrong][0]} in judged row {int(is_wrong.argmax())} is {what}.")
        keyed = rows[names].assign(as_of_date=as_days(rows["as_of_date"]), place=np.arange(len(rows)))
        ordered = in_key_order(keyed, names, "the judged rows")
        place = ordered["place"].to_numpy()
        blocks = resampling.blocks_of(ordered["customer_id"])
        return cls(
            ordered[names],
            arrays["labels"][place],
            arrays["the challenger"][place],
            {name: arrays[name][place] for name in opponents},
            {name: arrays[name][place] for name in rankings},
            blocks,
            resampling.draws(int(blocks.max(initial=-1)) + 1, resamples),
        )

    @property
    def rarer(self) -> int:
        """Rows of the rarer label."""
        positives = int(self.labels.sum())
        return min(positives, len(self.labels) - positives)

    @property
    def rate(self) -> float:
        return float(self.labels.mean())

    def sums(self, values: Floats, inside: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Sums of columns as they are and over each resample, of all rows or of those `inside`."""
        if inside is None:
            return resampling.drawn_sums(values, self.blocks, self.times)
        return resampling.drawn_sums(values[inside], self.blocks[inside], self.times)

    def gain(self, opponent: str) -> Floats:
        """Log loss of the opponent less that of the challenger, a row each, in nats."""
        return _losses(self.labels, self.opponents[opponent]) - _losses(self.labels, self.challenger)

    def row(self, check_name: str, metric: str, **values: object) -> dict[str, object]:
        counts = {"rows": len(self.labels), "positives": int(self.labels.sum())}
        return {"check_name": check_name, "slice": ALL_ROWS, "metric": metric, **counts, **values}


def _losses(labels: Floats, probabilities: Floats) -> Floats:
    clipped = np.clip(probabilities, NEAREST, 1 - NEAREST)
    losses: Floats = -(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped))
    return losses


def _better(case: _Case, opponent: str) -> _Finding:
    """The paired gain in log loss over all rows, with its 95% interval."""
    theirs = _losses(case.labels, case.opponents[opponent])
    own = _losses(case.labels, case.challenger)
    sums = case.sums(np.column_stack([np.ones(len(own)), theirs - own]))
    gain, low, high = resampling.figures_of(sums, lambda each: each[:, 1] / each[:, 0])
    has_passed = low > 0
    sentence = (
        f"Log loss is {own.mean():.4f}, that of {_words(opponent)} {theirs.mean():.4f} on {len(own):,} rows: a gain of "
        f"{gain:.4f} ({low:.4f} to {high:.4f}), {'more than' if has_passed else 'which may be'} noise."
    )
    row = case.row(
        "better", "log_loss_gain", against=opponent, value=gain, ci_low=low, ci_high=high, bound_low=0.0,
        has_passed=has_passed,
    )  # fmt: skip
    return _Finding(has_passed, sentence, [row])


def _ranks_better(case: _Case, baseline: str) -> _Finding:
    """The paired gain in ROC-AUC over a baseline that only ranks."""
    own, theirs = [], []
    block = max(1, BLOCK_SIZE // max(1, len(case.labels)))
    for start in range(0, len(case.times), block):
        weights = case.times[start : start + block][:, case.blocks]
        own.append(roc_auc(case.labels, case.challenger, weights))
        theirs.append(roc_auc(case.labels, case.rankings[baseline], weights))
    once = np.ones((1, len(case.labels)))
    point, base = (roc_auc(case.labels, each, once) for each in (case.challenger, case.rankings[baseline]))
    gain, low, high = resampling.interval(np.concatenate([point - base, np.concatenate(own) - np.concatenate(theirs)]))
    has_passed = low > 0
    sentence = (
        f"ROC-AUC is {point[0]:.3f}, that of {_words(baseline)} alone {base[0]:.3f}: a gain of {gain:.3f} ({low:.3f} "
        f"to {high:.3f}), {'more than' if has_passed else 'which may be'} noise."
    )
    row = case.row(
        "better", "roc_auc_gain", against=baseline, value=gain, ci_low=low, ci_high=high, bound_low=0.0,
        has_passed=has_passed,
    )  # fmt: skip
    return _Finding(has_passed, sentence, [row])


def _not_inferior(case: _Case, slices: pd.DataFrame | None, rules: Rules) -> _Finding:
    """Bounds of the gain in all large slices, against all opponents, that hold together."""
    margin = rules.margin * _entropy(case.rate)
    rows: list[dict[str, object]] = []
    values, spreads, studentized, judged = [], [], [], []
    members = _members(case.keys, slices)
    gains = {name: case.gain(name) for name in case.opponents}
    for name, inside in members.items():
        count, positives = int(inside.sum()), int(case.labels[inside].sum())
        rarer = min(positives, count - positives)
        is_large = count >= rules.min_slice_rows and rarer >= rules.min_slice_class_rows
        for opponent, gain in gains.items():
            row = case.row("not inferior", "log_loss_gain", against=opponent, value=float(gain[inside].mean()))
            rows.append(row | {"slice": name, "rows": count, "positives": positives, "bound_low": -margin})
            if not is_large:
                continue
            sums = case.sums(np.column_stack([np.ones(len(gain)), gain]), inside)
            drawn = sums[1:, 1] / sums[1:, 0]
            spread = float(drawn.std(ddof=1))
            values.append(float(gain[inside].mean()))
            spreads.append(spread)
            studentized.append((drawn - values[-1]) / spread if spread > 0 else np.zeros(len(drawn)))
            judged.append(rows[-1])
    if not judged:
        return _Finding(
            True,
            f"No segment is large enough to be judged alone ({rules.min_slice_rows:,} rows, "
            f"{rules.min_slice_class_rows} of either label).",
            rows,
        )
    factor = float(np.quantile(np.max(studentized, axis=0), 0.95))
    for row, value, spread in zip(judged, values, spreads, strict=True):
        low = value - factor * spread
        row |= {"ci_low": low, "has_passed": low > -margin}
    failed = [row for row in judged if not row["has_passed"]]
    worst = min(failed or judged, key=lambda row: _number(row["ci_low"]))
    places = f"{len(dict.fromkeys(str(row['slice']) for row in judged))} large segments"
    figures = (
        f"{_number(worst['value']):+.4f}, surely no lower than {_number(worst['ci_low']):+.4f}, against "
        f"{_words(str(worst['against']))}"
    )
    if not failed:
        sentence = (
            f"In none of {places} does it lose more than {margin:.4f}: the least is {worst['slice']} ({figures})."
        )
    else:
        named = ", ".join(dict.fromkeys(str(row["slice"]) for row in failed))
        sentence = (
            f"Of {places} it may lose more than {margin:.4f} of log loss in {named}: the worst is {worst['slice']} "
            f"({figures}, {worst['rows']:,} rows)."
        )
    return _Finding(not failed, sentence, rows)


def _entropy(rate: float) -> float:
    """Log loss of the base rate, in nats."""
    return -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate))


def _members(keys: pd.DataFrame, slices: pd.DataFrame | None) -> dict[str, npt.NDArray[np.bool_]]:
    """For each slice, in the order of their names, which rows are in it."""
    if slices is None or slices.empty:
        return {}
    require_columns(slices, ["customer_id", "as_of_date", "slice"], "the slices")
    by = [name for name in keys.columns if name in slices.columns]
    numbered = keys.assign(place=np.arange(len(keys)))
    given = slices.assign(as_of_date=as_days(slices["as_of_date"]))[[*by, "slice"]].drop_duplicates()
    found = numbered.merge(given, on=by, how="inner")
    members = {}
    for name, part in found.groupby("slice", sort=True):
        inside = np.zeros(len(keys), dtype=bool)
        inside[part["place"].to_numpy()] = True
        members[str(name)] = inside
    return members


def _calibrated(case: _Case, rules: Rules) -> list[_Finding]:
    """Odds, slope and error of what was said; each fails only if its whole interval lies outside its bounds."""
    odds, slope = _calibration_line(case)
    rarer = min(case.rate, 1 - case.rate)
    said, observed = float(case.challenger.mean()), case.rate
    low_odds, high_odds = 1 / rules.odds_bound, rules.odds_bound
    findings = [
        _within(
            case, "odds_ratio", odds, low_odds, high_odds,
            f"It says {said:.1%} on average and {observed:.1%} came true",
        ),
        _within(case, "calibration_slope", slope, *rules.slope_bounds, "Its calibration slope"),
    ]  # fmt: skip
    error = _calibration_error(case)
    # A resample has the noise of the sample once more: turned around at the value, the interval loses both (the basic
    # bootstrap; Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 5.2).
    low, high = (max(0.0, 2 * error[0] - float(np.quantile(error[1:], at))) for at in (0.975, 0.025))
    figure = (float(error[0]), low, max(low, high))
    findings.append(
        _within(case, "calibration_error", figure, None, rules.calibration_error_bound * rarer, "Its calibration error")
    )
    return findings


def _within(
    case: _Case, metric: str, figure: tuple[float, float, float], low: float | None, high: float, begins: str
) -> _Finding:
    value, ci_low, ci_high = figure
    is_known = not (math.isnan(ci_low) or math.isnan(ci_high))
    has_passed = not is_known or (ci_low <= high and (low is None or ci_high >= low))
    wanted = f"at most {high:.3f}" if low is None else f"{low:.2f} to {high:.2f}"
    named = f": {_words(metric)} {value:.3f}" if metric == "odds_ratio" else f" is {value:.3f}"
    is_inside = is_known and value <= high and (low is None or value >= low)
    where = "within" if is_inside else "by no more than noise outside" if has_passed else "outside"
    sentence = f"{begins}{named} ({ci_low:.3f} to {ci_high:.3f}), {where} the bound of {wanted}."
    row = case.row(
        "calibrated", metric, value=value, ci_low=ci_low, ci_high=ci_high, bound_low=low, bound_high=high,
        has_passed=has_passed,
    )  # fmt: skip
    return _Finding(has_passed, sentence, [row])


def _calibration_line(case: _Case, steps: int = 25) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Odds ratio at slope 1, and slope with a free intercept (Cox 1958), each with its interval; NaN where undefined.

    Of a resample one Newton step is taken from the estimate, which is as good as all of them to the order of the
    resampling itself (Davidson and MacKinnon, *Bootstrap testing in nonlinear models*, 1999), and costs five sums.
    """
    clipped = np.clip(case.challenger, NEAREST, 1 - NEAREST)
    line = np.log(clipped) - np.log1p(-clipped)
    shift = 0.0
    for _ in range(steps):
        rates = expit(shift + line)
        shift += float((case.labels - rates).sum() / (rates * (1 - rates)).sum())
    rates = expit(shift + line)
    sums = case.sums(np.column_stack([case.labels - rates, rates * (1 - rates)]))
    odds = resampling.figures_of(sums, lambda each: np.exp(shift + each[:, 0] / each[:, 1]))
    if np.ptp(line) < 1e-9:
        return odds, (np.nan, np.nan, np.nan)
    start, slope = 0.0, 1.0
    for _ in range(steps):
        step = _newton(_curve(case, line, start, slope).sum(axis=0, keepdims=True))
        start, slope = start + float(step[0, 0]), slope + float(step[0, 1])
    drawn = case.sums(_curve(case, line, start, slope))
    return odds, resampling.figures_of(drawn, lambda each: slope + _newton(each)[:, 1])


def _curve(case: _Case, line: Floats, start: float, slope: float) -> Floats:
    """Gradient and curvature of the log-likelihood of a line, a row each; shape (n_rows, 5)."""
    rates = expit(start + slope * line)
    left, curve = case.labels - rates, rates * (1 - rates)
    return np.column_stack([left, left * line, curve, curve * line, curve * line**2])


def _newton(sums: Floats) -> Floats:
    """The step of intercept and slope for each row of sums, shape (n, 2)."""
    g0, g1, h00, h01, h11 = sums.T
    determinant = h00 * h11 - h01**2
    return np.column_stack([(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant])


def _calibration_error(case: _Case) -> Floats:
    """Mean distance of said and observed rate over tenths by score, as it is and in each resample."""
    bins = calibration_bins(case.challenger)
    shape = (case.times.shape[1], int(bins.max()) + 1)
    gaps = sparse.csr_array((case.challenger - case.labels, (case.blocks, bins)), shape=shape)
    rows = np.bincount(case.blocks, minlength=shape[0]).astype(np.float64)
    as_it_is = np.abs(np.asarray(gaps.sum(axis=0))).sum() / rows.sum()
    drawn = np.abs(np.asarray(gaps.T @ case.times.T)).sum(axis=0) / (case.times @ rows)
    error: Floats = np.concatenate([[as_it_is], drawn])
    return error


def _table(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame([dict(row) for row in rows], columns=list(CHECK_COLUMNS))
    numbers = ["value", "ci_low", "ci_high", "bound_low", "bound_high"]
    frame[numbers] = frame[numbers].astype(float).round(FIGURE_DIGITS)
    frame["has_passed"] = frame["has_passed"].astype("boolean")
    return frame


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]
