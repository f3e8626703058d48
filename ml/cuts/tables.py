"""Cuts and curves as rows: of each goal the cut, chosen on the selection slice and reported on the hold-out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.cuts import words
from ml.cuts.choosing import Chosen, choose, curve_of
from ml.cuts.goals import Goal
from ml.cuts.judged import HOLD_OUT, SELECTION, VERSION, current_rows, judged_rows, occasions
from ml.cuts.judging import Interval, Reached, grid_cuts, reached
from ml.frames import as_date
from ml.resampling import blocks_of

Floats = npt.NDArray[np.float64]

CUT_COLUMNS = (
    "model_name", "model_version", "goal", "goal_kind", "wanted", "cut",
    "selection_first_date", "selection_last_date", "selection_rows", "selection_positives", "selection_contacted",
    "selection_precision", "selection_recall",
    "hold_out_date", "hold_out_rows", "hold_out_positives", "people_contacted", "contacted_share", "expected_positives",
    "missed_positives", "precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high", "lift",
    "expected_profit", "expected_profit_low", "expected_profit_high", "held",
    "current_as_of_date", "current_people", "current_contacted", "current_expected_positives",
    "current_expected_profit", "precision_in_words", "recall_in_words", "caution", "note", "reason",
)  # fmt: skip
CURVE_COLUMNS = (
    "model_name", "model_version", "hold_out_date", "cut", "people_contacted", "contacted_share", "expected_positives",
    "missed_positives", "precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high", "lift",
    "current_contacted",
)  # fmt: skip
TEXTS = (
    "model_name", "model_version", "goal", "goal_kind", "held", "precision_in_words", "recall_in_words", "caution",
    "note", "reason",
)  # fmt: skip
COUNTS = (
    "selection_rows", "selection_positives", "selection_contacted", "hold_out_rows", "hold_out_positives",
    "people_contacted", "expected_positives", "missed_positives", "current_people", "current_contacted",
)  # fmt: skip
DIGITS = 6


@dataclass(frozen=True)
class Cuts:
    """Rows of ``ml.score_cuts`` and ``ml.score_cut_curves`` without run_id, and what could not be asked at all.

    Attributes
    ----------
    cuts : DataFrame with `CUT_COLUMNS`, one row a model version and goal
    curves : DataFrame with `CURVE_COLUMNS`, one row a model version and cut of the grid
    unasked : tuple of str
        Goals that have no row, with the reason, in sentences.
    """

    cuts: pd.DataFrame
    curves: pd.DataFrame
    unasked: tuple[str, ...]

    def plots(self) -> dict[str, bytes]:
        """PNG pictures, one a model: reach against precision, with the cuts marked."""
        from ml.cuts.pictures import reach_and_precision

        return {
            str(name): reach_and_precision(
                curve, self.cuts[(self.cuts["model_version"] == version) & self.cuts["cut"].notna()]
            )
            for (name, version), curve in self.curves.groupby(list(VERSION))
        }


def cut_tables(judged: pd.DataFrame, current: pd.DataFrame, goals: Iterable[Goal]) -> Cuts:
    """Choose a cut for each goal, and say what it gave.

    The order of rows does not matter. Of a model that scores now the version that does is cut, else every version
    that was judged.

    Parameters
    ----------
    judged : DataFrame as ``ml.judged_predictions``
        customer_id, as_of_date, campaign_id, model_name, model_version, judged_for (selection or hold_out), probability
        and label. Cuts are chosen on the rows of the selection, and reported on those of the hold-out.
    current : DataFrame with customer_id, as_of_date, campaign_id, model_name, model_version, score
        Of each model the newest date counts.
    goals : any number; a model that was not judged has its goals in `unasked`

    Raises
    ------
    MissingColumnsError, LeakError, ValueError
        If the frames are not what they should be: see `ml.cuts.judged`.
    """
    rows, now = judged_rows(judged), current_rows(current)
    wanted = sorted(goals, key=lambda goal: (goal.model_name, goal.name))
    cuts: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    unasked: list[str] = []
    for model in dict.fromkeys(goal.model_name for goal in wanted):
        own_goals = [goal for goal in wanted if goal.model_name == model]
        named = ", ".join(goal.name for goal in own_goals)
        of_model, scored = rows[rows["model_name"] == model], now[now["model_name"] == model]
        versions = sorted(set(scored["model_version"])) or sorted(set(of_model["model_version"]))
        if of_model.empty:
            unasked.append(f"{named}: no prediction of {model} was judged")
        for version in versions if len(of_model) else ():
            own = of_model[of_model["model_version"] == version]
            if own.empty:
                unasked.append(f"{named}: {model} scores with {version}, of which no prediction was judged")
                continue
            slices = _Slices(own, scored[scored["model_version"] == version])
            cuts.extend(slices.row(goal) for goal in own_goals)
            curves.extend(slices.curve())
    return Cuts(_frame(cuts, CUT_COLUMNS), _frame(curves, CURVE_COLUMNS), tuple(unasked))


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as columns of one type each: text and days as objects, counts whole, figures rounded; unknown is null."""
    frame: dict[str, pd.Series] = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        if name in COUNTS:
            frame[name] = pd.Series(values, dtype="Int64")
        elif name in TEXTS or name.endswith("_date"):
            frame[name] = pd.Series(values, dtype=object)
        else:
            frame[name] = pd.Series(values, dtype=np.float64).round(DIGITS)
    return pd.DataFrame(frame)


class _Slices:
    """A model version's selection, hold-out and current scores."""

    def __init__(self, judged: pd.DataFrame, current: pd.DataFrame) -> None:
        self.selection = judged[judged["judged_for"] == SELECTION]
        hold_out = judged[judged["judged_for"] == HOLD_OUT]
        self.hold_out, self.current = hold_out, current
        self.scores = hold_out["probability"].to_numpy(dtype=np.float64)
        self.labels = hold_out["label"].to_numpy(dtype=np.float64)
        self.blocks = blocks_of(hold_out["customer_id"])
        self.key = {name: judged[name].iloc[0] for name in VERSION}
        self.now = current["score"].to_numpy(dtype=np.float64)
        self.verb = words.verb_of(self.key["model_name"])

    def row(self, goal: Goal) -> dict[str, Any]:
        """The row of ``ml.score_cuts``."""
        # The hold-out is not even handed over to what chooses.
        curve = curve_of(
            self.selection["probability"].to_numpy(dtype=np.float64), self.selection["label"].to_numpy(np.float64)
        )
        groups = [*occasions(self.selection, "probability"), *occasions(self.current, "score")]
        chosen = Chosen(None, "no prediction of an earlier slice was kept to choose a cut on")
        if len(self.selection):
            chosen = choose(goal, curve, groups)
        if self.hold_out.empty:
            chosen = Chosen(None, "no prediction of a hold-out was judged to report a cut on")
        row: dict[str, Any] = {
            **self.key,
            "goal": goal.name,
            "goal_kind": goal.kind,
            "wanted": None if goal.wanted is None else float(goal.wanted),
            "cut": chosen.cut,
            "selection_first_date": _day(self.selection["as_of_date"].min()),
            "selection_last_date": _day(self.selection["as_of_date"].max()),
            "selection_rows": int(curve.total),
            "selection_positives": int(curve.total_positives),
            **self._hold_out(),
            "current_as_of_date": _day(self.current["as_of_date"].max()),
            "current_people": len(self.now) if len(self.now) else None,
            "caution": words.caution(self.verb),
            "note": chosen.note,
            "reason": chosen.reason,
        }
        if chosen.cut is None:
            return row
        place = int(np.searchsorted(-curve.cuts, -chosen.cut, side="right")) - 1
        contacted, positives = (curve.contacted[place], curve.positives[place]) if place >= 0 else (0.0, 0.0)
        row |= {
            "selection_contacted": int(contacted),
            "selection_precision": float(positives / contacted) if contacted else None,
            "selection_recall": float(positives / curve.total_positives) if curve.total_positives else None,
        }
        (found,) = reached(np.array([chosen.cut]), self.scores, self.labels, self.blocks)
        return row | self._reported(found) | self._judged(goal, chosen.cut, found) | self._now(goal, chosen.cut)

    def _hold_out(self) -> dict[str, Any]:
        return {
            "hold_out_date": _day(self.hold_out["as_of_date"].min()),
            "hold_out_rows": len(self.labels),
            "hold_out_positives": int(self.labels.sum()),
        }

    def _reported(self, found: Reached) -> dict[str, Any]:
        """What a cut gave on the hold-out, as rows and curves tell it."""
        contacted, hits = int(found.contacted[0]), int(found.positives[0])
        return {
            "people_contacted": contacted,
            "contacted_share": contacted / len(self.labels),
            "expected_positives": hits,
            "missed_positives": int(found.all_positives[0]) - hits,
            **_spread("precision", found.precision()),
            **_spread("recall", found.recall()),
            "lift": _known(found.lift()[0]),
        }

    def _judged(self, goal: Goal, cut: float, found: Reached) -> dict[str, Any]:
        """Whether the goal held, its profit, and both shares in words."""
        precision, recall = found.precision(), found.recall()
        told: dict[str, Any] = {
            "precision_in_words": None if np.isnan(precision[0]) else words.precision_in_words(precision[0], self.verb),
            "recall_in_words": None if np.isnan(recall[0]) else words.recall_in_words(recall[0], self.verb),
        }
        profit = None
        if goal.unit_cost is not None and goal.margin is not None:
            profit = found.profit(goal.unit_cost, goal.margin)
            told |= _spread("expected_profit", profit)
        wanted = float(goal.wanted or 0)
        if goal.kind == "people":
            most = max(int((scores >= cut).sum()) for scores in occasions(self.hold_out, "probability"))
            told["held"] = "held" if most <= wanted else "missed"
        else:
            measured = {"precision": precision, "recall": recall, "profit": profit}[goal.kind]
            told["held"] = _held(measured, wanted)
        return told

    def _now(self, goal: Goal, cut: float) -> dict[str, Any]:
        """Whom the cut would contact today; what comes of it is what the scores say."""
        if not len(self.now):
            return {}
        above = self.now[self.now >= cut]
        return {
            "current_contacted": len(above),
            "current_expected_positives": float(above.sum()),
            "current_expected_profit": _known(goal.profit(len(above), float(above.sum()))),
        }

    def curve(self) -> list[dict[str, Any]]:
        """The rows of ``ml.score_cut_curves``."""
        if self.hold_out.empty:
            return []
        cuts = grid_cuts(self.scores)
        found = reached(cuts, self.scores, self.labels, self.blocks)
        day = self._hold_out()["hold_out_date"]
        return [
            {
                **self.key,
                "hold_out_date": day,
                "cut": float(cut),
                **self._reported(one),
                "current_contacted": int((self.now >= cut).sum()) if len(self.now) else None,
            }
            for cut, one in zip(cuts, found, strict=True)
        ]


def _held(measured: Interval | None, wanted: float) -> str | None:
    """``held``, ``within noise`` (short of it, but its interval is not) or ``missed``; None if nothing was measured."""
    if measured is None or np.isnan(measured[0]):
        return None
    value, _, high = measured
    return "held" if value >= wanted else "within noise" if high >= wanted else "missed"


def _spread(name: str, figures: Interval) -> dict[str, Any]:
    return {key: _known(value) for key, value in zip((name, f"{name}_low", f"{name}_high"), figures, strict=True)}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _day(value: Any) -> Any:
    return None if pd.isna(value) else as_date(value)
