"""Pairs that may be one person, how likely, and why."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from ml.linkage import engine
from ml.linkage.blocking import CHANGED, PAIRS, block, near_changed
from ml.linkage.bounds import CHANGED_BY_A_MOVE, frequency_table, leave_out_hopeless
from ml.linkage.engine import NUMBER, TABLE
from ml.linkage.model import LinkageModel
from ml.linkage.settings import KEY, LinkageSettings

SCORED = "linkage_scored"
_CERTAIN = 1e6  # bits; what no sum of weights reaches


@dataclass(frozen=True)
class ScoredPairs:
    """What `score` found.

    Attributes
    ----------
    pairs : pyarrow.Table
        One row a pair at or above the threshold, by keys: left_key < right_key, probability, match_weight (log2 odds,
        bits) and what it is the sum of: prior_weight, moved_excuse (0 or more: street, place and phone that differ
        count once), household_bound (0 or less: what the bound on all that a household shares took off) and, per
        comparison, weight_<name> (bits) with level_<name> (-1: not said; 0: another; upwards).
    compared : int
        Pairs that were compared.
    skipped_blocks : dict
        By rule: blocks of the records to compare that were beyond its limit, and not compared.
    """

    pairs: pa.Table
    compared: int
    skipped_blocks: dict[str, int]


def score(
    model: LinkageModel,
    records: pd.DataFrame | pa.Table,
    changed: Collection[str] | None = None,
    threshold: float | None = None,
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> ScoredPairs:
    """Compare records with each other, or those that changed with all.

    Frequencies of values and limits of blocks are the model's, so a pair's score depends on its two records alone.
    Whether a pair is compared depends on the other records only where a block has grown beyond its limit.

    Parameters
    ----------
    model : LinkageModel
        Of `train`.
    records : DataFrame or Table
        One row a record: `record_key` and the columns of the settings, all text (birth_date: date or ISO text).
        Columns of the model that are missing count as null.
    changed : collection of str, optional
        Keys of records: only pairs with at least one of them are compared. Keys that no record has are passed over.
    threshold : float, optional
        Probability from which pairs are reported; the model's if not given.
    threads, memory_limit
        Of DuckDB; its own defaults if not given.

    Returns
    -------
    ScoredPairs

    Raises
    ------
    LinkageError
        `record_key` is missing, null or not unique.
    """
    settings = LinkageSettings(personal_extras=tuple(c for c in model.columns if c not in LinkageSettings().columns))
    given = engine.as_arrow(records, settings)
    at_least = model.threshold if threshold is None else threshold
    with engine.opened(threads, memory_limit) as api:
        engine.give(api, given)
        if changed is None:
            engine.load(api, settings)
            compared, skipped = block(api, model.rules)
        else:
            _note_changed(api, changed)
            engine.load(api, settings, only=near_changed(api, model.rules, settings))
            compared, skipped = block(api, model.rules, changed_only=True, near_only=True)
        if compared:
            weigh(api, model, at_least)
        else:
            api.duckdb_con.execute(_empty_sql(model))
        found = api.duckdb_con.execute(f"""
            select l.{KEY} as left_key, r.{KEY} as right_key, scored.* exclude (left_no, right_no)
            from {SCORED} as scored
            join {TABLE} as l on l.{NUMBER} = left_no
            join {TABLE} as r on r.{NUMBER} = right_no
            order by left_no, right_no
        """).to_arrow_table()
    return ScoredPairs(found, compared, skipped)


def _note_changed(api: Any, changed: Collection[str]) -> None:
    keys = pa.table({KEY: pa.array(sorted(changed), pa.string())})
    api.duckdb_con.register("given_changed", keys)
    api.duckdb_con.execute(f"create or replace table {CHANGED} as select {KEY} from given_changed")
    api.duckdb_con.unregister("given_changed")


def weigh(api: Any, model: LinkageModel, at_least: float) -> None:
    """Make the table `linkage_scored` of the table of pairs, through Splink."""
    note_frequencies(api, model.frequencies)
    leave_out_hopeless(api, model, _weight(at_least))
    weighed = splink_weights(api, model, at_least, with_levels=True)
    api.duckdb_con.execute(f"create or replace table {SCORED} as {_bounded_sql(model, weighed, at_least)}")
    api.duckdb_con.execute(f"drop table if exists {weighed}")


def splink_weights(api: Any, model: LinkageModel, at_least: float | None, with_levels: bool = False) -> str:
    """The name of the table that Splink made of the table of pairs: weights, and levels, per comparison.

    The tables of frequencies must be there.
    """
    from splink import Linker

    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": NUMBER,
        "comparisons": model.comparisons,
        "blocking_rules_to_generate_predictions": [],
        "probability_two_random_records_match": _probability(model.prior_weight),
        "retain_matching_columns": with_levels,
        "retain_intermediate_calculation_columns": True,
    }
    linker = Linker(api.register(TABLE), settings, log_level=None, validate_settings=False)
    # So that Splink does not count them anew.
    for column in model.frequencies:
        linker.table_management.register_term_frequency_lookup(api.register(frequency_table(column)), column)
    linker.table_management.register_blocked_pairs_for_predict(api.register(PAIRS))
    # What Splink may leave out: it knows no excuse, which is less than all that speaks against a pair, and the bound
    # only lowers a weight. A little less: sums in another order differ in the last digit.
    weight = None if at_least is None else _weight(at_least) - _greatest_excuse(model) - 1e-3
    scored = linker.inference.predict(threshold_match_weight=weight, warning_mode="never")
    return str(scored.physical_name)


def _greatest_excuse(model: LinkageModel) -> float:
    worst = []
    for comparison in model.comparisons:
        if comparison["output_column_name"] in CHANGED_BY_A_MOVE:
            levels = [one for one in comparison["comparison_levels"] if not one.get("is_null_level")]
            worst.append(min(0.0, *(math.log2(one["m_probability"] / one["u_probability"]) for one in levels)))
    return max(0.0, min(worst, default=0.0) - sum(worst))


def note_frequencies(api: Any, frequencies: dict[str, dict[str, Any]]) -> None:
    """Make tables of the model's frequencies of today's values."""
    con = api.duckdb_con
    for column, known in frequencies.items():
        values = pa.table(
            {column: pa.array(list(known["values"]), pa.string()),
             "known": pa.array(list(known["values"].values()), pa.float64())}
        )  # fmt: skip
        con.register("given_values", values)
        con.execute(f"""
            create or replace table {frequency_table(column)} as
            select {column}, coalesce(known, {known["rest"]!r}::double) as tf_{column}
            from (select distinct {column} from {TABLE} where {column} is not null)
            left join given_values using ({column})
        """)
        con.unregister("given_values")


def with_frequencies(model: LinkageModel) -> dict[str, str]:
    """Per comparison the SQL of its whole weight: of the level, and of the value where rare values weigh more."""
    weights = {}
    for comparison in model.comparisons:
        name = comparison["output_column_name"]
        has_tf = any("tf_adjustment_column" in level for level in comparison["comparison_levels"])
        weights[name] = f"(mw_{name} + mw_tf_adj_{name})" if has_tf else f"mw_{name}"
    return weights


def moved_sql(weights: Mapping[str, str]) -> str:
    """What a move excuses: street, place and phone that speak against a pair count once, as the strongest of them."""
    against = [f"least({weights[name]}, 0)" for name in CHANGED_BY_A_MOVE if name in weights]
    return f"least({', '.join(against)}) - ({' + '.join(against)})" if len(against) > 1 else "0"


def _bounded_sql(model: LinkageModel, weighed: str, at_least: float) -> str:
    """Weights per comparison, the bounds, and their sum; rounded, so that no order of summing shows."""
    names = model.comparison_names
    weights = ", ".join(f"round({sql}, 6) as weight_{name}" for name, sql in with_frequencies(model).items())
    moved = moved_sql({name: f"weight_{name}" for name in names})
    shared = " + ".join(
        ["prior_weight", "moved_excuse", *(f"weight_{name}" for name in names if name not in model.personal)]
    )
    total = " + ".join(["prior_weight", "moved_excuse", "household_bound", *(f"weight_{name}" for name in names)])
    levels = ", ".join(f"gamma_{name}::smallint as level_{name}" for name in names)
    each = ", ".join(f"weight_{name}, level_{name}" for name in names)
    return f"""
        with parts as (
            select {NUMBER}_l as left_no, {NUMBER}_r as right_no,
                round({model.prior_weight!r}::double, 6) as prior_weight, {weights}, {levels}
            from {weighed}
        ),
        excused as (select *, round({moved}, 6)::double as moved_excuse from parts),
        bounded as (
            select *, round(least(0, {model.household_weight!r}::double - ({shared})), 6) as household_bound
            from excused
        ),
        summed as (select *, round({total}, 6) as match_weight from bounded)
        select left_no, right_no, 1 / (1 + pow(2::double, -match_weight)) as probability, match_weight,
            prior_weight, moved_excuse, household_bound, {each}
        from summed where match_weight >= {_weight(at_least)!r}::double
    """


def _empty_sql(model: LinkageModel) -> str:
    each = ", ".join(f"0::double as weight_{n}, 0::smallint as level_{n}" for n in model.comparison_names)
    return f"""
        create or replace table {SCORED} as
        select 0 as left_no, 0 as right_no, 0::double as probability, 0::double as match_weight,
            0::double as prior_weight, 0::double as moved_excuse, 0::double as household_bound, {each}
        where false
    """


def _weight(probability: float) -> float:
    if probability <= 0:
        return -_CERTAIN
    return _CERTAIN if probability >= 1 else math.log2(probability / (1 - probability))


def _probability(weight: float) -> float:
    return float(1 / (1 + 2.0**-weight))
