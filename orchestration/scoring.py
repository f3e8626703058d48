"""Scores as facts: dates that have none get one, the current date is written anew, what was published stays.

The scores of the current date follow what is known (other data, another champion); when a later date has come, they are
what was said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ml.catalogue import read_catalogue
from orchestration.batch_scoring import SCORES, add_scores
from orchestration.model_inputs import Unit
from orchestration.model_ledger import Choice
from orchestration.propensity_models import PropensityModel
from orchestration.warehouse import reading, writing

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.propensity import PropensityScorer


@dataclass(frozen=True)
class Scored:
    """How many score rows a run wrote, and how many it left as they were."""

    rows_written: int
    rows_kept: int


def score_missing(
    model: PropensityModel,
    scorer: PropensityScorer,
    choice: Choice,
    warehouse: Path,
    as_of: date,
    run_id: str,
) -> Scored:
    """Score by the champion what has no score yet, and the current date, in one transaction.

    Parameters
    ----------
    choice : the champion; it scores no date before its hold-out, which it may have learned from
    """
    features = read_catalogue().named(scorer.feature_names)
    with reading(warehouse) as connection:
        units = model.inputs.units(connection, choice.hold_out_from)
        there = _there(connection, model.model_name)
    missing = [unit for unit in units if unit not in there]
    again = [unit for unit in units if unit in there and unit.as_of_date >= as_of]
    with writing(warehouse) as connection:

        def add(table: str, some: list[Unit]) -> int:
            return add_scores(
                connection,
                table,
                model.inputs.to_score(features, some),
                scorer.predict,
                scorer.numeric,
                scorer.categorical,
                facts={**scorer.identity, "score_kind": "probability", "unit": model.says},
                run_id=run_id,
            )

        # A run that says the same again leaves no trace.
        renewed = 0
        connection.execute(f"create temp table {_SCORED} as from {SCORES} limit 0")
        for unit in again:
            connection.execute(f"delete from {_SCORED}")
            count = add(_SCORED, [unit])
            if _differs(connection, model.model_name, unit):
                connection.execute(f"delete from {SCORES} where {_OF_UNIT}", _values(model.model_name, unit))
                connection.execute(f"insert into {SCORES} from {_SCORED}")
                renewed += count
        connection.execute(f"drop table {_SCORED}")
        written = renewed + (add(SCORES, missing) if missing else 0)
        total = connection.execute(f"select count(*) from {SCORES} where model_name = ?", [model.model_name]).fetchone()
    return Scored(written, (total[0] if total else 0) - written)


def _there(connection: duckdb.DuckDBPyConnection, model_name: str) -> set[Unit]:
    rows = connection.execute(
        f"select distinct as_of_date, campaign_id from {SCORES} where model_name = ?", [model_name]
    ).fetchall()
    return {Unit(day, campaign) for day, campaign in rows}


_SCORED = "scored"
_OF_UNIT = "model_name = ? and as_of_date = ? and campaign_id is not distinct from ?"


def _values(model_name: str, unit: Unit) -> list[object]:
    return [model_name, unit.as_of_date, unit.campaign_id]


def _differs(connection: duckdb.DuckDBPyConnection, model_name: str, unit: Unit) -> bool:
    """Whether a unit would be written otherwise than it stands."""
    stored = f"select * exclude (run_id) from {SCORES} where {_OF_UNIT}"
    scored = f"select * exclude (run_id) from {_SCORED}"
    row = connection.execute(
        f"select count(*) from ((({stored}) except ({scored})) union all (({scored}) except ({stored})))",
        _values(model_name, unit) * 2,
    ).fetchone()
    return row is None or row[0] > 0
