import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.backtest import Backtest, backtest, difference_of
from ml.backtest.matching import matched
from ml.backtest.rows import gathered
from ml.frames import MissingColumnsError
from tests.unit.ml.backtest.shops import HORIZON, Shop, shop


def tried(given_shop: Shop, **other: pd.DataFrame) -> Backtest:
    frames = {"placebo": given_shop.placebo, **other}
    return backtest(
        given_shop.members,
        given_shop.population,
        given_shop.outcomes,
        rule="Tried",
        horizon_days=HORIZON,
        **frames,
    )


@pytest.fixture(scope="module")
def plain() -> Shop:
    return shop(customers=900)


@pytest.fixture(scope="module")
def result(plain: Shop) -> Backtest:
    return tried(plain)


def test_where_nothing_differs_the_matched_difference_covers_zero_and_the_naive_one_does_not() -> None:
    covered, placebo_covered, naive_covered, differences = 0, 0, 0, []
    for seed in range(40):
        found = tried(shop(seed, customers=400, dates=3))
        same = difference_of(found.comparison, "matched")
        earlier = difference_of(found.comparison, "placebo")
        naive = difference_of(found.comparison, "all others")
        covered += same.low <= 0 <= same.high
        placebo_covered += earlier.low <= 0 <= earlier.high
        naive_covered += naive.low <= 0 <= naive.high
        differences.append(same.difference)
    # 95% of 40 is 38; 34 or fewer has a chance of 1 in 70 if the intervals are right.
    assert covered >= 35
    assert placebo_covered >= 35
    assert naive_covered <= 2
    assert np.mean(differences) == pytest.approx(0, abs=0.012)


def test_the_placebo_shows_what_no_column_tells() -> None:
    found = tried(shop(customers=1500, confounder=0.8))
    placebo = difference_of(found.comparison, "placebo")
    assert placebo.low > 0.02
    assert not found.is_trusted
    assert "not to be trusted" in found.verdict()
    assert "placebo" in found.verdict()
    assert found.balance.loc[found.balance["is_matched_on"], "after"].abs().max() < 0.1


def test_matching_makes_members_and_rest_alike(result: Backtest) -> None:
    own = result.balance.set_index("variable")
    assert own["is_matched_on"].to_dict() == {
        "purchase_days_0_28": True,
        "purchase_days_28_56": True,
        "purchase_days_56_84": True,
        "spend_0_84": True,
        "spend_0_28": False,
        "shoe_size": False,
    }
    assert own.loc["purchase_days_0_28", "before"] > 0.4
    assert own.loc[own["is_matched_on"], "after"].abs().max() < 0.1
    assert abs(own.loc["spend_0_28", "after"]) < abs(own.loc["spend_0_28", "before"]) / 3
    assert result.matching.share >= 0.8


def test_the_verdict_is_descriptive(result: Backtest) -> None:
    assert result.is_trusted
    for text in (result.verdict(), result.report()):
        assert "effect" not in text.lower()
        assert "descriptive" in text
    assert "similar customers who were not members" in result.verdict()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    own = shop(1, customers=120, dates=2)
    others = pd.concat([own.members.iloc[::2].assign(segment="b"), own.members.iloc[::3].assign(segment="a")])
    turned = {
        name: getattr(own, name).sample(frac=1, random_state=seed)
        for name in ("members", "population", "outcomes", "placebo")
    }
    one = tried(own, other_segments=others, other_members=own.members.iloc[::2])
    other = tried(
        Shop(**turned),
        other_segments=others.sample(frac=1, random_state=seed),
        other_members=own.members.iloc[::2].sample(frac=1, random_state=seed),
    )
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name])
    assert one.report() == other.report()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_came_after_the_date_never_enters_matching(seed: int) -> None:
    own = shop(2, customers=150, dates=2)
    drawn = np.random.default_rng(seed)
    other = own.outcomes.assign(
        has_purchased=drawn.integers(0, 2, len(own.outcomes)), spend=drawn.gamma(2, 30, len(own.outcomes))
    )
    placebo = own.placebo.assign(has_purchased=drawn.integers(0, 2, len(own.placebo)))
    weights = [
        matched(gathered(own.members, own.population, outcomes, earlier, None)).weights
        for outcomes, earlier in ((own.outcomes, own.placebo), (other, own.placebo), (own.outcomes, placebo))
    ]
    assert (weights[0] > 0).sum() > 20
    np.testing.assert_array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[0], weights[2])


def test_the_rest_weighs_what_the_members_do_within_each_date(plain: Shop) -> None:
    rows = gathered(plain.members, plain.population, plain.outcomes, plain.placebo, None)
    weights = matched(rows).weights
    own = pd.DataFrame({"date": rows.dates, "member": rows.frame["is_member"], "weight": weights})
    sums = own.groupby(["date", "member"])["weight"].sum().unstack()
    np.testing.assert_allclose(sums[True], sums[False])


def test_entries_and_exits_add_up(result: Backtest, plain: Shop) -> None:
    reach = result.reach
    change = reach["members"].diff().iloc[1:]
    np.testing.assert_array_equal(change, (reach["entries"] - reach["exits"]).iloc[1:])
    assert reach["members"].sum() == len(plain.members)
    assert reach.loc[0, ["entries", "exits"]].isna().all()


def test_overlap_of_a_half_of_itself(plain: Shop) -> None:
    half = plain.members.iloc[::2].assign(segment="half")
    row = tried(plain, other_segments=half).overlap.iloc[0]
    assert row["share_of_segment"] == 1
    assert row["share_of_members"] == pytest.approx(0.5, abs=0.01)
    assert row["jaccard"] == row["share_of_members"]
    assert row["lift"] == pytest.approx(len(plain.population) / len(plain.members))


def test_two_thresholds_part_the_customers(plain: Shop) -> None:
    wide = plain.population[plain.population["purchase_days_0_28"] >= 2]
    found = tried(plain, other_members=wide[["customer_id", "as_of_date"]])
    parts = found.thresholds.set_index("part")
    assert parts.loc["both", "rows"] + parts.loc["only in A", "rows"] == parts.loc["A", "rows"] == len(plain.members)
    assert parts.loc["both", "rows"] + parts.loc["only in B", "rows"] == parts.loc["B", "rows"] == len(wide)
    assert parts.loc[["both", "only in A", "only in B", "neither"], "rows"].sum() == len(plain.population)
    assert parts.loc["neither", "purchase_rate_high"] < parts.loc["both", "purchase_rate_low"]
    assert found.threshold_reach["only_in_B"].sum() == parts.loc["only in B", "rows"]
    assert {"reach", "balance", "comparison", "thresholds"} == set(found.plots())


def test_dates_whose_outcome_is_not_observed_are_left_out_and_said(plain: Shop) -> None:
    newest = plain.population["as_of_date"].max()
    open_yet = Shop(
        plain.members, plain.population, plain.outcomes[plain.outcomes["as_of_date"] < newest], plain.placebo
    )
    found = tried(open_yet)
    assert len(found.reach) == 4
    assert found.notes == (
        f"What came after 1 of 4 dates is not observed yet ({newest:%Y-%m-%d}): they count for reach and overlap, and "
        "not for what members did next.",
    )
    only = Shop(*(frame[frame["as_of_date"] < newest] for frame in vars(plain).values()))
    pd.testing.assert_frame_equal(found.comparison, tried(only).comparison)
    assert found.notes[0] in found.report()


def test_nobody_everybody_and_one_date(plain: Shop) -> None:
    nobody = tried(Shop(plain.members.iloc[:0], plain.population, plain.outcomes, plain.placebo))
    assert "no member" in nobody.verdict()
    assert (nobody.reach["members"] == 0).all()
    everybody = tried(
        Shop(plain.population[["customer_id", "as_of_date"]], plain.population, plain.outcomes, plain.placebo)
    )
    assert "Everybody is a member" in everybody.verdict()
    one = tried(Shop(*(frame[frame["as_of_date"] == "2017-01-02"] for frame in vars(plain).values())))
    assert len(one.reach) == 1
    assert np.isfinite(difference_of(one.comparison, "matched").low)
    for found in (nobody, everybody, one):
        assert not found.is_trusted or found is one
        assert found.report().startswith("# Backtest of Tried")
        assert all(png.startswith(b"\x89PNG") for png in found.plots().values())


def test_a_rule_on_what_is_matched_on_has_nobody_alike(plain: Shop) -> None:
    frequent = plain.population[plain.population["purchase_days_0_28"] >= 4]
    found = tried(Shop(frequent[["customer_id", "as_of_date"]], plain.population, plain.outcomes, plain.placebo))
    assert not found.is_trusted
    assert "not to be trusted" in found.verdict() or "like a member" in found.verdict()


def test_without_a_placebo_nothing_is_trusted(plain: Shop) -> None:
    found = backtest(plain.members, plain.population, plain.outcomes, rule="Tried", horizon_days=HORIZON)
    assert "no earlier period" in found.verdict()


def test_members_without_features_are_said(plain: Shop) -> None:
    stranger = pd.DataFrame({"customer_id": ["nobody"], "as_of_date": plain.population["as_of_date"].iloc[:1]})
    found = tried(Shop(pd.concat([plain.members, stranger]), plain.population, plain.outcomes, plain.placebo))
    assert found.notes == ("1 member rows are of customers without features at their date.",)


def test_what_is_wrong_with_the_input_is_named(plain: Shop) -> None:
    with pytest.raises(MissingColumnsError, match="spend"):
        tried(Shop(plain.members, plain.population, plain.outcomes.drop(columns="spend"), plain.placebo))
    twice = pd.concat([plain.population, plain.population.iloc[:1]])
    with pytest.raises(ValueError, match="twice"):
        tried(Shop(plain.members, twice, plain.outcomes, plain.placebo))
    keys = plain.population[["customer_id", "as_of_date"]]
    with pytest.raises(ValueError, match="no column to match on"):
        tried(Shop(plain.members, keys, plain.outcomes, plain.placebo))


def test_what_similar_customers_did_is_possible_where_hardly_anybody_is_similar(plain: Shop) -> None:
    """Members are all who bought little, so that a line through the others would end below zero."""
    population = plain.population.assign(recency=lambda rows: rows["purchase_days_0_28"].rsub(30))
    little = population["spend_0_84"] < population["spend_0_84"].quantile(0.3)
    edge = np.random.default_rng(0).random(len(population)) < 0.02
    outcomes = plain.outcomes.assign(
        has_purchased=(population["spend_0_84"] > population["spend_0_84"].median()).astype(int).to_numpy()
    )
    found = backtest(
        population.loc[little ^ edge, ["customer_id", "as_of_date"]], population, outcomes, rule="Few",
        horizon_days=HORIZON,
    )  # fmt: skip
    compared = found.comparison.query("outcome == 'has_purchased'").dropna()
    assert len(compared) > 1
    assert compared["rest"].between(0, 1).all()
