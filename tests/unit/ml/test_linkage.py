import datetime
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.linkage import LinkageError, LinkageModel, LinkageSettings, ScoredPairs, engine, score, scoring, train

ROOT = Path(__file__).parents[3]
SMALL = LinkageSettings(random_pairs=20_000, training_pairs=20_000, threshold=0.9)
GIVEN = ("anna", "bernd", "clara", "david", "emma", "felix", "greta", "hans",
         "ida", "jonas", "karla", "leo", "mia", "noah", "olga", "paul")  # fmt: skip
LAST = ("adler", "becker", "conrad", "dietz", "ernst", "fischer", "graf", "huber",
        "iser", "jung", "klein", "lang", "maier", "noll", "otto", "pohl")  # fmt: skip


def people(count: int = 120, seed: int = 0) -> pd.DataFrame:
    """Two records a person: what an order form knows, and what a newsletter knows."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        given, last = GIVEN[draw.integers(16)], LAST[draw.integers(16)]
        born = datetime.date(1950, 1, 1) + datetime.timedelta(days=int(draw.integers(18_000)))
        whole = {
            "given_name": given,
            "last_name": last,
            "email": f"{given}.{last}{number}@mail.example",
            "phone": f"+4930{draw.integers(10**7):07d}",
            "street": f"{number} {LAST[draw.integers(16)]} str",
            "street_number": str(number),
            "postcode": f"{draw.integers(10**5):05d}",
            "city": GIVEN[draw.integers(16)] + "stadt",
            "birth_date": born.isoformat(),
        }
        rows.append({"record_key": f"a{number:04d}", **whole})
        other = dict(whole)
        for column in draw.choice([*whole], size=3, replace=False):
            other[column] = None
        if number % 4 == 0 and other["last_name"]:
            other["last_name"] = other["last_name"][:-1] + "x"
        rows.append({"record_key": f"b{number:04d}", **other})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def records() -> pd.DataFrame:
    return people()


@pytest.fixture(scope="module")
def model(records: pd.DataFrame) -> LinkageModel:
    return train(records, SMALL)


def pairs_of(scored: ScoredPairs) -> set[tuple[str, str]]:
    return set(zip(scored.pairs["left_key"].to_pylist(), scored.pairs["right_key"].to_pylist(), strict=True))


def test_records_of_one_person_are_found_without_labels(model: LinkageModel, records: pd.DataFrame) -> None:
    found = pairs_of(score(model, records))
    right = {pair for pair in found if pair[0][1:] == pair[1][1:]}
    assert len(right) >= 0.97 * len(found)
    assert len(right) >= 0.9 * len(records) / 2


def test_the_order_of_rows_does_not_matter(model: LinkageModel, records: pd.DataFrame) -> None:
    shuffled = records.sample(frac=1, random_state=3)
    again = train(shuffled, SMALL, threads=1)
    assert again.version == model.version
    assert again.to_json() == model.to_json()
    assert score(model, shuffled).pairs.equals(score(model, records, threads=1).pairs)


def test_a_score_is_the_sum_of_its_parts(model: LinkageModel, records: pd.DataFrame) -> None:
    pairs = score(model, records, threshold=0.01).pairs.to_pandas()
    weights = [f"weight_{name}" for name in model.comparison_names]
    bounds = ["prior_weight", "moved_excuse", "household_bound"]
    total = pairs[bounds + weights].sum(axis="columns")
    np.testing.assert_allclose(pairs["match_weight"], total, atol=1e-5)
    np.testing.assert_allclose(pairs["probability"], 1 / (1 + 2 ** -pairs["match_weight"]))
    assert (pairs["household_bound"] <= 0).all()
    assert (pairs["moved_excuse"] >= 0).all()
    assert (pairs["left_key"] < pairs["right_key"]).all()
    assert pairs["probability"].min() >= 0.01
    assert {f"level_{name}" for name in model.comparison_names} <= set(pairs)


def test_a_model_survives_its_text_and_notices_changes(model: LinkageModel) -> None:
    text = model.to_json()
    again = LinkageModel.from_json(text)
    assert again == model
    assert again.version == model.version
    changed = json.loads(text)
    changed["prior_weight"] += 1
    with pytest.raises(ValueError, match="it was changed"):
        LinkageModel.from_json(json.dumps(changed))
    with pytest.raises(ValueError, match="no linkage model"):
        LinkageModel.from_json("{}")


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.sets(st.integers(0, 239), max_size=60), gone=st.sets(st.integers(0, 239), max_size=30))
def test_new_against_all_and_old_pairs_are_all_pairs(
    model: LinkageModel, records: pd.DataFrame, changed: set[int], gone: set[int]
) -> None:
    today = records.drop(index=list(gone))
    keys = set(records["record_key"].iloc[sorted(changed)])
    every = score(model, today, threshold=0.05).pairs.to_pandas()
    touched = every["left_key"].isin(keys) | every["right_key"].isin(keys)
    # Without the changed records, in a run that never saw them: nothing of them may show in the scores.
    old = score(model, today[~today["record_key"].isin(keys)], threshold=0.05).pairs.to_pandas()
    new = score(model, today, changed=keys, threshold=0.05).pairs.to_pandas()
    pd.testing.assert_frame_equal(old, every[~touched].reset_index(drop=True))
    pd.testing.assert_frame_equal(new, every[touched].reset_index(drop=True))


def test_what_changed_is_not_compared_in_blocks_that_all_records_make_too_large(
    model: LinkageModel, records: pd.DataFrame
) -> None:
    # So low a limit that blocks of a changed record are beyond it, most of whose records come in by no other rule.
    narrow = replace(model, rules=tuple(replace(rule, max_block=min(rule.max_block, 3)) for rule in model.rules))
    keys = set(records["record_key"].iloc[::7])
    every = score(narrow, records, threshold=0.001)
    assert every.skipped_blocks
    pairs = every.pairs.to_pandas()
    touched = pairs[pairs["left_key"].isin(keys) | pairs["right_key"].isin(keys)].reset_index(drop=True)
    new = score(narrow, records, changed=keys, threshold=0.001)
    assert 0 < sum(new.skipped_blocks.values()) <= sum(every.skipped_blocks.values())
    pd.testing.assert_frame_equal(new.pairs.to_pandas(), touched)


@pytest.mark.parametrize("threshold", [0.001, 0.9])
def test_pairs_left_out_by_the_bound_would_not_have_been_reported(
    model: LinkageModel, records: pd.DataFrame, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers = people(300, seed=7).assign(record_key=lambda frame: "y" + frame["record_key"])
    odd = records.sample(80, random_state=5).assign(record_key=lambda frame: "x" + frame["record_key"])
    odd[["given_name", "last_name"]] = odd[["last_name", "given_name"]].to_numpy()
    odd.loc[odd.index[::3], ["given_name", "last_name"]] = None
    odd.loc[odd.index[1::3], "email"] = odd["email"].str.replace("a", "e", n=1)
    odd.loc[odd.index[1::5], "birth_date"] = odd["birth_date"].str.replace("1", "2", n=1)
    every = pd.concat([records, strangers, odd])
    kept: list[int] = []
    leave_out = scoring.leave_out_hopeless

    def counted(api: Any, learnt: LinkageModel, weight: float) -> None:
        leave_out(api, learnt, weight)
        kept.append(api.duckdb_con.execute("select count(*) from linkage_pairs").fetchone()[0])

    monkeypatch.setattr(scoring, "leave_out_hopeless", counted)
    bounded = score(model, every, threshold=threshold)
    monkeypatch.setattr(scoring, "leave_out_hopeless", lambda *_: None)
    assert bounded.pairs.equals(score(model, every, threshold=threshold).pairs)
    assert bounded.pairs.num_rows <= kept[0] <= bounded.compared
    assert threshold < 0.5 or kept[0] < bounded.compared


def test_a_value_of_ten_thousand_records_merges_nobody(model: LinkageModel, records: pd.DataFrame) -> None:
    shop = pd.DataFrame({"record_key": [f"s{n:05d}" for n in range(10_000)], "phone": "+49301234567"})
    scored = score(model, pd.concat([records, shop]))
    assert scored.skipped_blocks == {"phone": 1}
    assert pairs_of(scored) == pairs_of(score(model, records))


def test_a_rule_that_would_run_away_is_narrowed_or_dropped_and_says_so() -> None:
    frame = people(60)
    frame["city"] = "berlin"
    frame["phone"] = "+49301234567"
    frame.loc[:19, "postcode"] = "10115"
    learnt = train(frame, LinkageSettings(random_pairs=5_000, max_pairs_per_rule=150, personal_extras=("phone2",)))
    by_name = {rule.name: rule for rule in learnt.rules}
    assert by_name["phone"].max_block == 0
    assert by_name["phone"].reason
    assert by_name["phone"].reason.startswith("dropped: 7,140 pairs")
    assert all(rule.pairs <= 150 for rule in learnt.rules)
    assert learnt.dropped["rule: phone"] == by_name["phone"].reason
    assert learnt.dropped["column: phone2"] == "no record says anything"


@pytest.mark.parametrize("gone", [["email", "phone"], ["birth_date"], ["given_name", "last_name"], ["street", "city"]])
def test_columns_that_are_absent_or_empty_drop_out(gone: list[str]) -> None:
    frame = people(40).drop(columns=gone[:1])
    for column in gone[1:]:
        frame[column] = None
    learnt = train(frame, LinkageSettings(random_pairs=2_000))
    assert {f"column: {column}" for column in gone} <= set(learnt.dropped)
    assert not set(gone) & set(learnt.columns)
    score(learnt, people(40))


def test_texts_of_any_kind_are_taken() -> None:
    frame = people(30).astype(object)
    odd = ["", "  ", "\x00", "\ud800", "o'neil; drop table", b"caf\xe9", 7, float("nan"), "x" * 5_000, "日本"]
    for row, text in enumerate(odd):
        frame.loc[row, ["given_name", "email", "phone", "postcode", "birth_date"]] = text
    learnt = train(frame, LinkageSettings(random_pairs=2_000))
    score(learnt, frame, threshold=0.01)


def test_dates_may_be_dates() -> None:
    frame = people(20)
    typed = frame.assign(birth_date=pd.to_datetime(frame["birth_date"]))
    dates = pa.array([date.date() if date == date else None for date in typed["birth_date"]], pa.date32())
    as_table = pa.Table.from_pandas(frame.drop(columns="birth_date")).append_column("birth_date", dates)
    taken = [engine.as_arrow(one, LinkageSettings()) for one in (frame, typed, as_table)]
    assert taken[0].equals(taken[1])
    assert taken[0].equals(taken[2])


def test_household_members_who_share_everything_stay_apart() -> None:
    frame = people(150)
    # In every third home a second person lives: another given name and birth date, the rest alike.
    family = frame.iloc[::6].copy()
    family["record_key"] = "z" + family["record_key"]
    family["given_name"] = [GIVEN[(GIVEN.index(name) + 5) % 16] if name else name for name in family["given_name"]]
    family["birth_date"] = "1999-03-07"
    every = pd.concat([frame, family])
    found = pairs_of(score(train(every, SMALL), every))
    assert not [pair for pair in found if pair[0][0] != "z" and pair[1][0] == "z"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_records_are_enough_not_to_fail(count: int) -> None:
    frame = people(3).head(count)
    learnt = train(frame)
    assert learnt.figures["records"] == count
    assert score(learnt, frame.head(0)).pairs.num_rows == 0
    assert LinkageModel.from_json(learnt.to_json()) == learnt


def test_what_cannot_be_linked_is_said() -> None:
    frame = people(2)
    with pytest.raises(LinkageError, match="no column record_key"):
        train(frame.drop(columns="record_key"))
    with pytest.raises(LinkageError, match="1 records repeat"):
        train(pd.concat([frame, frame.head(1)]))
    with pytest.raises(LinkageError, match="says anything"):
        train(frame[["record_key"]])
    with pytest.raises(LinkageError, match="have no record_key"):
        train(frame.assign(record_key=None))
    with pytest.raises(ValueError, match="repeat each other"):
        LinkageSettings(personal_extras=("email",))


def test_importing_is_cheap() -> None:
    code = "import ml.linkage, sys; print({'splink', 'duckdb', 'sqlglot'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"
