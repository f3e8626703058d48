import numpy as np
import pandas as pd
import pytest

from ml.propensity.candidates import GRID, Candidate, boosting, logistic
from ml.propensity.choice import Choice, choose
from ml.propensity.limits import Limits
from ml.propensity.slices import Part, Plan, Split
from ml.splits import folds_by_date
from ml.threads import one_thread

LINE = logistic(0.1)
STEPS = boosting(rounds=40, learning_rate=0.1, min_leaf=20)
COLUMNS = ["x", "y"]
FREELY = Limits()


def shop(shape: str, size: int = 1_800, seed: int = 6) -> tuple[Plan, pd.DataFrame]:
    """Six dates; the chance of a yes is a line, or a step that no line follows."""
    generator = np.random.default_rng(seed)
    matrix = pd.DataFrame({"x": generator.normal(size=size), "y": generator.normal(size=size)})
    chance = 1 / (1 + np.exp(-2 * matrix["x"])) if shape == "line" else np.where(matrix["x"].abs() < 0.6, 0.9, 0.1)
    labels = (generator.random(size) < chance).astype(np.int64)
    days = pd.Series(np.repeat(pd.date_range("2017-01-02", periods=6, freq="14D"), size // 6))
    splits = [
        Split(
            Part(fold.train, np.asarray(labels)[fold.train.rows]),
            Part(fold.judged, np.asarray(labels)[fold.judged.rows]),
        )
        for fold in folds_by_date(days, 14, [day.date() for day in days.unique()[2:]])
    ]
    rows = pd.DataFrame({"customer_id": np.tile([f"c{n}" for n in range(size // 6)], 6)})
    return Plan(rows, splits[:2], [splits[2]], splits[3]), matrix


def chosen(
    shape: str, candidates: tuple[Candidate, ...] = (LINE, STEPS), limits: Limits = FREELY, size: int = 1_800
) -> Choice:
    plan, matrix = shop(shape, size)
    with one_thread():
        return choose(candidates, plan, matrix, COLUMNS, [], limits)


def test_the_simple_model_ships_when_nothing_beats_it() -> None:
    assert chosen("line").winner.family == "logistic_regression"


def test_a_model_that_beats_it_ships_and_blends_are_tried() -> None:
    found = chosen("step")
    assert found.winner.family in {"gradient_boosting", "blend"}
    assert [entry["candidate"].split("(")[0].split(" ")[0] for entry in found.table] == [
        "logistic_regression", "gradient_boosting", "mean",
    ]  # fmt: skip
    assert found.table[1]["gain"][1] > 0


def test_luck_is_not_enough_to_ship() -> None:
    """Of two equally good models one is ahead by chance; whichever is the simple one is taken."""
    one, other = logistic(0.1), logistic(1.0)
    for simple, challenger in ((one, other), (other, one)):
        rival = Candidate(challenger.name, "another family", challenger.build)
        assert chosen("line", (simple, rival)).winner is simple


def test_settings_of_a_family_are_halved_to_the_best() -> None:
    hopeless = boosting(rounds=1, learning_rate=0.001, min_leaf=400)
    found = chosen("step", (LINE, hopeless, STEPS))
    assert STEPS.name in [entry["candidate"] for entry in found.table]
    assert hopeless.name not in [entry["candidate"] for entry in found.table]


@pytest.mark.parametrize("fits", [1, 8, 40])
def test_the_budget_holds_and_a_last_round_always_takes_place(fits: int) -> None:
    """Three families and two folds: the last round alone is six fits."""
    limits = Limits(search_fits=fits, search_rows=600)
    found = chosen("line", GRID[:6], limits)
    assert 0.8 * 6 * 600 <= found.cost["rows_fitted"] <= 1.2 * max(fits, 6) * 600
    assert found.cost["rows_allowed"] == fits * 600


def test_later_rows_are_not_looked_at() -> None:
    plan, matrix = shop("line")
    changed = matrix.copy()
    changed.iloc[plan.selection[0].judged.slice.rows] = 1e6
    changed.iloc[plan.hold_out.judged.slice.rows] = -1e6
    with one_thread():
        tables = [choose((LINE, STEPS), plan, given, COLUMNS, [], Limits()).table for given in (matrix, changed)]
    assert tables[0] == tables[1]


def test_without_folds_the_first_simple_one_is_taken() -> None:
    plan, matrix = shop("line")
    empty = Plan(plan.rows, [], plan.selection, plan.hold_out)
    found = choose((STEPS, LINE), empty, matrix, COLUMNS, [], Limits())
    assert (found.winner, found.simplest, found.table) == (LINE, LINE, [])
