"""Which cut a goal gets, held against trying every cut."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

from ml.cuts.choosing import MIN_CONTACTED, MIN_POSITIVES, choose, curve_of
from ml.cuts.goals import Goal, GoalError

# Few distinct scores, so that ties are the rule.
SLICES = st.integers(45, 120).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(0, 30).map(lambda tick: tick / 30), min_size=count, max_size=count),
        st.lists(st.integers(0, 1), min_size=count, max_size=count),
    )
)
SHARES = st.integers(1, 100).map(lambda percent: percent / 100)


def tried(scores: np.ndarray, labels: np.ndarray) -> list[tuple[float, int, int]]:
    """Every cut with whom it contacts and how many of them are positive, counted one by one."""
    return [(cut, int((scores >= cut).sum()), int(labels[scores >= cut].sum())) for cut in sorted(set(scores))]


def usable(rows: tuple[list[float], list[int]]) -> tuple[np.ndarray, np.ndarray]:
    scores, labels = np.array(rows[0]), np.array(rows[1], dtype=np.float64)
    assume(min(labels.sum(), len(labels) - labels.sum()) >= MIN_POSITIVES)
    return scores, labels


@given(SLICES, SHARES)
def test_precision_reaches_as_many_as_any_cut_that_is_precise_enough(
    rows: tuple[list[float], list[int]], wanted: float
) -> None:
    scores, labels = usable(rows)
    chosen = choose(Goal("conversion", "m", "precision", wanted), curve_of(scores, labels), [])
    good = [(n, cut) for cut, n, hits in tried(scores, labels) if n >= MIN_CONTACTED and hits / n >= wanted]
    assert chosen.cut == (max(good)[1] if good else None)
    assert (chosen.reason is None) == bool(good)


@given(SLICES, SHARES, SHARES)
def test_a_stricter_precision_never_reaches_more(rows: tuple[list[float], list[int]], one: float, other: float) -> None:
    scores, labels = usable(rows)
    curve = curve_of(scores, labels)
    loose, strict = (choose(Goal("g", "m", "precision", wanted), curve, []).cut for wanted in sorted((one, other)))
    reach = [0 if cut is None else int((scores >= cut).sum()) for cut in (loose, strict)]
    assert reach[1] <= reach[0]


@given(SLICES, SHARES)
def test_recall_contacts_as_few_as_any_cut_that_reaches_enough(
    rows: tuple[list[float], list[int]], wanted: float
) -> None:
    scores, labels = usable(rows)
    chosen = choose(Goal("retention", "m", "recall", wanted), curve_of(scores, labels), [])
    assert chosen.cut == max(cut for cut, _, hits in tried(scores, labels) if hits / labels.sum() >= wanted)


@given(SLICES, st.integers(0, 40), st.integers(0, 40))
def test_profit_is_that_of_brute_force(rows: tuple[list[float], list[int]], cost: int, margin: int) -> None:
    scores, labels = usable(rows)
    goal = Goal("profit", "m", "profit", unit_cost=cost / 8, margin=margin / 8)
    chosen = choose(goal, curve_of(scores, labels), [])
    profits = {cut: margin / 8 * hits - cost / 8 * n for cut, n, hits in tried(scores, labels)}
    best = max(profits.values())
    if best > 0:
        # Of equal profits the one that bothers the fewest.
        assert chosen.cut == max(cut for cut, profit in profits.items() if profit == best)
    else:
        assert chosen.cut is None
        assert chosen.reason is not None


@given(
    st.lists(st.lists(st.integers(0, 12).map(lambda tick: tick / 12), max_size=40), min_size=1, max_size=4),
    st.integers(1, 45),
)
def test_a_budget_is_never_exceeded_and_never_parts_ties(groups: list[list[float]], count: int) -> None:
    occasions = [np.array(scores) for scores in groups]
    chosen = choose(Goal("budget", "m", "people", count), curve_of(np.zeros(0), np.zeros(0)), occasions)
    known = sorted({score for scores in groups for score in scores})
    fitting = [cut for cut in known if all((scores >= cut).sum() <= count for scores in occasions)]
    assert chosen.cut == (min(fitting) if fitting else None)
    assert chosen.cut is not None or chosen.reason


def test_ties_at_the_budget_are_told() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.7, 0.7, 0.1])
    chosen = choose(Goal("budget", "m", "people", 3), curve_of(np.zeros(0), np.zeros(0)), [scores])
    assert chosen.cut == 0.8
    assert chosen.note == "3 people share the score 0.7: with them it would be 5, so they stay out"
    everybody_alike = choose(Goal("budget", "m", "people", 3), curve_of(np.zeros(0), np.zeros(0)), [np.full(9, 0.4)])
    assert everybody_alike.cut is None
    assert "9 people share the highest score, 0.4" in str(everybody_alike.reason)


@pytest.mark.parametrize("labels", [np.zeros(200), np.ones(200), np.r_[np.ones(19), np.zeros(181)]])
@pytest.mark.parametrize("kind", ["precision", "recall", "profit"])
def test_too_few_of_a_kind_tell_no_cut(labels: np.ndarray, kind: str) -> None:
    goal = Goal("g", "m", kind, None if kind == "profit" else 0.5, unit_cost=1, margin=9)  # type: ignore[arg-type]
    chosen = choose(goal, curve_of(np.linspace(0, 1, 200), labels), [])
    assert chosen.cut is None
    assert "fewer than 20 of a kind" in str(chosen.reason)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "precision", "wanted": 1.2}, "goal 'g' of m: the wanted precision is 1.2"),
        ({"kind": "recall", "wanted": None}, "the wanted recall is None"),
        ({"kind": "people", "wanted": 0}, "the budget is 0 people"),
        ({"kind": "profit", "unit_cost": 1.0}, "a profit needs a unit cost and a margin"),
        ({"kind": "profit", "unit_cost": -1.0, "margin": 2.0}, "the unit cost is -1.0"),
    ],
)
def test_a_goal_that_means_nothing_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(GoalError, match=said):
        Goal("g", "m", **values)  # type: ignore[arg-type]
