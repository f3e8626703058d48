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
import pandas as pd

from ml.catalogue import read_catalogue
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
    units_written: int


def score_missing(
    model: PropensityModel,
    scorer: PropensityScorer,
    choice: Choice,
    warehouse: Path,
    as_of: date,
    run_id: str,
) -> Scored:
    """Score by the champion what has no score yet, and the current date; a unit at a time, as all do not fit in memory.

    Parameters
    ----------
    choice : the champion; it scores no date before its hold-out, which it may have learned from
    """
    with reading(warehouse) as connection:
        units = model.inputs.units(connection, choice.hold_out_from)
        there = _there(connection, model.model_name)
    written = units_written = 0
    features = read_catalogue().named(scorer.feature_names)
    for unit in units:
        if unit in there and unit.as_of_date < as_of:
            continue
        with reading(warehouse) as connection:
            rows = model.inputs.to_score(connection, features, unit)
        frame = model.score(scorer, rows)
        with writing(warehouse) as connection:
            if unit not in there or _differs(connection, frame, model.model_name, unit):
                _replace(connection, frame.assign(run_id=run_id), model.model_name, unit)
                written += len(frame)
                units_written += 1
    with reading(warehouse) as connection:
        total = connection.execute("select count(*) from ml.scores where model_name = ?", [model.model_name]).fetchone()
    return Scored(written, (total[0] if total else 0) - written, units_written)


def _there(connection: duckdb.DuckDBPyConnection, model_name: str) -> set[Unit]:
    rows = connection.execute(
        "select distinct as_of_date, campaign_id from ml.scores where model_name = ?", [model_name]
    ).fetchall()
    return {Unit(day, campaign) for day, campaign in rows}


_OF_UNIT = "model_name = ? and as_of_date = ? and campaign_id is not distinct from ?"


def _differs(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, model_name: str, unit: Unit) -> bool:
    """Whether a unit would be written otherwise than it stands: a run that says the same again leaves no trace."""
    connection.register("scored", frame)
    columns = ", ".join(frame.columns)
    stored = f"select {columns} from ml.scores where {_OF_UNIT}"
    values = [model_name, unit.as_of_date, unit.campaign_id]
    row = connection.execute(
        f"select count(*) from ((({stored}) except select {columns} from scored) "
        f"union all (select {columns} from scored except ({stored})))",
        [*values, *values],
    ).fetchone()
    connection.unregister("scored")
    return row is None or row[0] > 0


def _replace(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, model_name: str, unit: Unit) -> None:
    connection.execute(f"delete from ml.scores where {_OF_UNIT}", [model_name, unit.as_of_date, unit.campaign_id])
    connection.register("scored", frame)
    connection.execute("insert into ml.scores by name select * from scored")
    connection.unregister("scored")
