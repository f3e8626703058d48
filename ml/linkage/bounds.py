"""What a pair can reach at the most, from a few numbers of its records: most blocked pairs are nobody's, at a glance.

Splink need not compare the texts of a pair whose weight cannot reach what is asked for. The bound is strict: pairs that
it leaves out would not have been reported.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ml.linkage.blocking import PAIRS
from ml.linkage.comparisons import person_comparisons
from ml.linkage.engine import NUMBER, TABLE
from ml.linkage.model import LinkageModel
from ml.linkage.settings import LinkageSettings

CHANGED_BY_A_MOVE = ("street", "place", "phone")
NUMBERS = "linkage_numbers"
_NEVER = -1e6
# Numbers are looked at where they may lower a bound by so many bits.
_WORTH = 2.0
# Weights of values are kept in few digits.
_SLACK = 1e-2


def frequency_table(column: str) -> str:
    """Where the model's frequencies of today's values lie."""
    return f"linkage_tf_{column}"


def leave_out_hopeless(api: Any, model: LinkageModel, weight: float) -> None:
    """Delete from the table of pairs those that cannot reach `weight` (log2 odds).

    The tables of frequencies must be there.
    """
    con = api.duckdb_con
    cheap = _cheap_conditions(model)
    bounds = {one["output_column_name"]: _bound_sql(one, cheap) for one in model.comparisons}
    con.execute(f"create or replace table {NUMBERS} as {_numbers_sql(model, ' '.join(bounds.values()))}")
    con.execute(f"""
        create or replace table linkage_hopeful as
        select * exclude ({", ".join(f"bound_{name}" for name in bounds)})
        from (
            select {PAIRS}.*, {", ".join(f"({sql})::float as bound_{name}" for name, sql in bounds.items())}
            from {PAIRS}
            join {NUMBERS} as l on l.{NUMBER} = join_key_l
            join {NUMBERS} as r on r.{NUMBER} = join_key_r
        )
        where {_total_sql(model)} >= {weight - _SLACK!r}::double
    """)
    con.execute(f"drop table {NUMBERS}")
    con.execute(f"drop table {PAIRS}")
    con.execute(f"alter table linkage_hopeful rename to {PAIRS}")


def _cheap_conditions(model: LinkageModel) -> dict[str, str]:
    """By the condition of a level what must hold of the numbers; a model's conditions of another time are unknown."""
    extras = tuple(name for name in model.columns if name not in LinkageSettings().columns)
    found = {}
    for identifying in ((), extras):
        comparisons = person_comparisons(LinkageSettings(personal_extras=extras), model.columns, identifying)
        for comparison in comparisons:
            found.update({level.condition: level.only_if for level in comparison.levels if level.only_if})
    return found


def _bound_sql(comparison: dict[str, Any], cheap: dict[str, str]) -> str:
    """The greatest weight of the levels that the numbers do not rule out."""
    levels = [(cheap.get(level["sql_condition"]), level) for level in comparison["comparison_levels"]]
    first = next((place for place, (_, level) in enumerate(levels) if "tf_adjustment_column" in level), None)
    if first is None:
        return _greatest([(only_if, _level_weight(level)) for only_if, level in levels])
    equal, exact = levels[first]
    if equal is None:
        return repr(-_NEVER)
    column = exact["tf_adjustment_column"]
    unsaid = f"l.same_{column} is null or r.same_{column} is null"
    before: list[tuple[str | None, float]] = []
    at_unsaid = None
    for only_if, level in levels[:first]:
        rest: str | None = only_if
        if only_if is not None and level.get("is_null_level") and (only_if + " or ").startswith(f"{unsaid} or "):
            at_unsaid, rest = 0.0, only_if[len(unsaid) + 4 :]
        if rest != "":
            before.append((rest, _level_weight(level)))
    others = _greatest(before + [(only_if, _level_weight(level)) for only_if, level in levels[first + 1 :]])
    at_equal = f"l.weight_{column}"
    if before:
        at_equal = f"greatest({at_equal}, {_greatest(before)})"
    if at_unsaid is None:
        return f"case when {equal} then {at_equal} else {others} end"
    differ = f"l.same_{column} <> r.same_{column}"
    return f"case when {equal} then {at_equal} when {differ} then {others} else {at_unsaid} end"


def _greatest(levels: list[tuple[str | None, float]]) -> str:
    sure = max((weight for only_if, weight in levels if only_if is None), default=_NEVER)
    sure = max([sure, *(weight for _, weight in levels if weight <= sure + _WORTH)])
    terms = [f"case when {only_if} then {weight} else {sure} end" for only_if, weight in levels if weight > sure]
    return f"greatest({', '.join(terms)})" if len(terms) > 1 else terms[0] if terms else repr(sure)


def _level_weight(level: dict[str, Any]) -> float:
    return 0.0 if level.get("is_null_level") else math.log2(level["m_probability"] / level["u_probability"])


def _total_sql(model: LinkageModel) -> str:
    """Weights, excuse and household bound as in scoring: each of them only grows with each weight."""
    names = model.comparison_names
    moved = [f"bound_{name}" for name in names if name in CHANGED_BY_A_MOVE]
    shared = [repr(model.prior_weight)]
    shared += [f"bound_{name}" for name in names if name not in model.personal and name not in CHANGED_BY_A_MOVE]
    shared += [f"greatest({bound}, 0)" for bound in moved]
    if moved:
        shared.append(f"least({', '.join([*moved, '0'])})")
    personal = [f"bound_{name}" for name in names if name in model.personal]
    return " + ".join([f"least({' + '.join(shared)}, {model.household_weight!r})", *personal])


def _numbers_sql(model: LinkageModel, bounds: str) -> str:
    """Those numbers that the bound reads, of the records that are in pairs."""
    columns, joins = [NUMBER], []
    exact_m = {
        level["tf_adjustment_column"]: level["m_probability"]
        for one in model.comparisons
        for level in one["comparison_levels"]
        if "tf_adjustment_column" in level
    }
    for kind, column in sorted(set(re.findall(r"\b[lr]\.(same|length|weight)_(\w+)", bounds))):
        name = f"{kind}_{column}"
        if kind == "same":
            columns.append(f"case when {column} is not null then hash({column}) end as {name}")
        elif kind == "length":
            columns.append(f"length({column})::integer as {name}")
        else:
            columns.append(f"({math.log2(exact_m[column])!r} - log2(tf_{column}) + {_SLACK / 100})::float as {name}")
            joins.append(f"left join {frequency_table(column)} using ({column})")
    return f"""
        select {", ".join(columns)} from {TABLE} {" ".join(joins)}
        where {NUMBER} in (select join_key_l from {PAIRS} union select join_key_r from {PAIRS})
    """
