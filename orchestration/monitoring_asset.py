"""Monitoring as an asset: past scores beside what came true, features and scores beside those of the training.

What is judged, and when it is an alarm, is in `ml.monitoring`; here is only which rows go in and where the results lie.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import pandas as pd

from ml.catalogue import read_catalogue
from orchestration.metadata import images, markdown_table
from orchestration.ml_assets import feature_deps
from orchestration.model_inputs import customer_features
from orchestration.model_ledger import Choice
from orchestration.progress import StageClock
from orchestration.warehouse import reading, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.monitoring.labels import LabelSource
    from ml.monitoring.model_drift import ModelDriftLimits
    from ml.monitoring.outcomes import OutcomeLimits
    from ml.monitoring.retraining import ModelFacts

_QUARTER_DAYS = 91
NOTHING_YET = "no score of a past date has come true yet"


def build_monitoring_asset(settings: Settings, models: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `scores/model_monitoring`; it waits for `models`, which write scores."""

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python"},
        deps=[*feature_deps(), *models],
        description="Are the models as good as they were said to be? Past scores beside what came true, and features "
        "and scores beside those of the training; with reasons to train again.",
    )
    def model_monitoring(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        from ml.monitoring import plots

        clock = StageClock(context, "scores")
        found = monitor(workspace.warehouse, settings, workspace.run_id)
        judged = found.outcomes.drop_duplicates(["model_name", "as_of_date"])
        degraded = found.outcomes[found.outcomes["is_degraded"].astype(bool)]
        alarms = found.drift[found.drift["is_alarm"].astype(bool)]
        clock.done(
            f"{len(judged)} past date(s) judged, {len(degraded)} figure(s) worse than promised; {len(alarms)} alarm(s) "
            f"of drift" + ("" if len(judged) else f": {NOTHING_YET}")
        )
        reasons = pd.DataFrame(
            [(name, reason) for name, listed in found.reasons.items() for reason in listed], columns=["model", "reason"]
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(found.outcomes) + len(found.drift),
                "outcomes": f"{len(judged)} date(s)" if len(judged) else NOTHING_YET,
                "not_monitored": ", ".join(found.skipped) or "none",
                "reasons_to_train_again": dg.MetadataValue.md(markdown_table(reasons) if len(reasons) else "none"),
                "degraded": dg.MetadataValue.md(
                    markdown_table(degraded[["model_name", "as_of_date", "metric", "value", "expected", "promised"]])
                    if len(degraded)
                    else "none"
                ),
                **images(plots.over_time(found.outcomes, found.drift)),
            }
        )

    return model_monitoring


@dataclass(frozen=True)
class Monitored:
    """What was found, as it was written; reasons to train again, by model; models that could not be monitored."""

    outcomes: pd.DataFrame
    drift: pd.DataFrame
    reasons: dict[str, list[str]]
    skipped: list[str]


def monitor(warehouse: Path, settings: Settings, run_id: str) -> Monitored:
    """Judge every model that has scores, and write ``ml.model_outcomes`` and ``ml.model_drift``.

    Outcomes are worked out anew from all scores that stand. Drift of a date stays; the current date's is replaced.
    """
    from ml.monitoring import labels, model_drift, outcomes
    from ml.monitoring.retraining import retrain_reasons
    from ml.threads import one_thread

    own = settings.models.monitoring
    limits = outcomes.OutcomeLimits(
        own.alarm_rate, ceil(_QUARTER_DAYS / settings.features.as_of_step_days), own.margins.model_dump()
    )
    drift_limits = model_drift.ModelDriftLimits(**own.drift.model_dump())
    judged: list[pd.DataFrame] = []
    compared: list[pd.DataFrame] = []
    skipped: list[str] = []
    facts: dict[str, ModelFacts] = {}
    with reading(warehouse) as connection, one_thread():
        current = _current(connection)
        judged_until = min(current, own.judged_until_date or current)
        names = [
            name for (name,) in connection.execute("select distinct model_name from ml.scores order by 1").fetchall()
        ]
        known = {source.model_name: source for source in labels.LABEL_SOURCES}
        for name in names:
            source = known.get(name)
            if source is None or not _has_label(connection, source):
                skipped.append(name)
                continue
            found = _outcomes(connection, source, judged_until, limits)
            drift = _drift(connection, source, current, drift_limits)
            facts[name] = _facts(connection, name, current, found, drift)
            judged.append(found)
            compared.append(drift)
    columns = [*outcomes.COLUMNS]
    all_outcomes = pd.concat(judged, ignore_index=True) if judged else pd.DataFrame(columns=columns)
    keys = ["model_name", "model_version", "as_of_date", "reference_date"]
    filled = [drift for drift in compared if len(drift)]
    all_drift = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=[*keys, *model_drift.COLUMNS])
    with writing(warehouse) as connection:
        connection.execute("delete from ml.model_outcomes")
        replace_rows(connection, "ml.model_outcomes", all_outcomes.assign(run_id=run_id), {"run_id": run_id})
        replace_rows(connection, "ml.model_drift", all_drift.assign(run_id=run_id), {"as_of_date": current})
        history = connection.execute("from ml.model_drift").df()
        reasons = {
            name: retrain_reasons(fact, own.max_age_days, own.min_days_between_trainings)
            for name, fact in facts.items()
        }
        connection.execute("delete from ml.retrain_reasons")
        replace_rows(
            connection, "ml.retrain_reasons", _reason_rows(facts, reasons).assign(run_id=run_id), {"run_id": run_id}
        )
    return Monitored(all_outcomes, history, reasons, skipped)


def _reason_rows(facts: "dict[str, ModelFacts]", reasons: dict[str, list[str]]) -> pd.DataFrame:
    rows = [
        (name, facts[name].model_version, facts[name].as_of, number, reason)
        for name, listed in reasons.items()
        if facts[name].model_version is not None
        for number, reason in enumerate(listed, start=1)
    ]
    return pd.DataFrame(rows, columns=["model_name", "model_version", "as_of_date", "reason_number", "reason"])


def stored_reasons(warehouse: Path, champion: Choice) -> list[str]:
    """What the monitoring of the run before said of a champion: in a run models come before it.

    A run as of a past date does not know what a later one found.
    """
    with reading(warehouse) as connection:
        rows = connection.execute(
            "select reason from ml.retrain_reasons where model_name = ? and model_version = ? and as_of_date <= ? "
            "order by reason_number",
            [champion.model_name, champion.model_version, _current(connection)],
        ).fetchall()
    return [reason for (reason,) in rows]


def _current(connection: duckdb.DuckDBPyConnection) -> date:
    row = connection.execute("select max(as_of_date) from features.int_as_of_dates where is_current").fetchone()
    if row is None or row[0] is None:
        raise dg.Failure("there is no current as-of date. Next: build the features stage.")
    current: date = row[0]
    return current


def _has_label(connection: duckdb.DuckDBPyConnection, source: "LabelSource") -> bool:
    row = connection.execute(
        "select count(*) from duckdb_columns() where schema_name = 'features' and table_name = ? and column_name = ?",
        [source.table, source.column],
    ).fetchone()
    return row is not None and row[0] > 0


def _outcomes(
    connection: duckdb.DuckDBPyConnection, source: "LabelSource", until: date, limits: "OutcomeLimits"
) -> pd.DataFrame:
    """Figures of all scores of dates before `until` whose window has ended by then."""
    from ml.monitoring import outcomes

    scores = connection.execute(
        f"select {', '.join(source.keys)}, model_version, score, horizon_days from ml.scores "
        "where model_name = ? and as_of_date < ?",
        [source.model_name, until],
    ).df()
    horizons = connection.execute(
        "select distinct horizon_days from ml.scores where model_name = ? and as_of_date < ? "
        "and horizon_days is not null",
        [source.model_name, until],
    ).fetchall()
    promised = connection.execute("from ml.model_performance where model_name = ?", [source.model_name]).df()
    rows = [
        outcomes.matured(part, _labels(connection, source, horizon), source, until)
        for horizon, part in (
            [(horizon, scores[scores["horizon_days"] == horizon]) for (horizon,) in horizons]
            if source.horizon in ("column", "name")
            else [(None, scores)]
        )
    ]
    known = pd.concat(rows, ignore_index=True) if rows else outcomes.matured(
        scores, _labels(connection, source, None), source, until
    )  # fmt: skip
    return outcomes.outcomes(known, promised, source, limits)


def _labels(connection: duckdb.DuckDBPyConnection, source: "LabelSource", horizon: int | None) -> pd.DataFrame:
    """Labels with the first day on which their whole window lies in the past."""
    ends = {
        "column": "as_of_date + horizon_days::integer",
        "own": "as_of_date + horizon_days::integer",
        "ends_on": "label_ends_on + 1",
        "name": "as_of_date + ?::integer",
    }[source.horizon]
    where = "where horizon_days = ?" if source.horizon == "column" else ""
    values = [horizon] if source.horizon in ("column", "name") else []
    return connection.execute(
        f"select {', '.join(source.keys)}, {source.column} as label, {ends} as matured_on "
        f"from features.{source.table} {where}",
        values,
    ).df()


def _version(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, date, list[str], str | None] | None:
    """The version that gave the newest scores: name, last label day, features and their hash."""
    row = connection.execute(
        "select model_version, trained_through, feature_names, versions.feature_schema_hash "
        "from ml.scores join ml.model_versions as versions using (model_name, model_version) "
        "where model_name = ? order by as_of_date desc, model_version desc limit 1",
        [name],
    ).fetchone()
    return None if row is None else (row[0], row[1], json.loads(row[2]), row[3])


def _drift(
    connection: duckdb.DuckDBPyConnection, source: "LabelSource", current: date, limits: "ModelDriftLimits"
) -> pd.DataFrame:
    """Customers of now against those of the hold-out, or of the newest date of the training where none is stored.

    Of offers nothing is compared: what is mailed follows a calendar, and that is no drift. A feature that the catalogue
    does not name any more is a change of schema, and a reason of its own.
    """
    from ml.monitoring import model_drift

    version = None if source.is_per_offer else _version(connection, source.model_name)
    if version is None:
        return pd.DataFrame()
    model_version, trained_through, names, _ = version
    features = [feature for feature in read_catalogue().features if feature.name in names]
    then, reference = _reference(connection, source.model_name, model_version, trained_through, current)
    if reference is None or not features:
        return pd.DataFrame()
    scored = connection.execute(
        "select customer_id, score from ml.scores where model_version = ? and as_of_date = ?", [model_version, current]
    ).df()
    before, now = (customer_features(connection, features, "as_of_date = ?", day) for day in (reference, current))
    if len(then) and len(scored):
        before, now = before.merge(then, on="customer_id"), now.merge(scored, on="customer_id")
    found = model_drift.measure_drift(
        before,
        now,
        [feature.name for feature in features if feature.is_number],
        [feature.name for feature in features if not feature.is_number],
        limits,
    )
    return found.assign(
        model_name=source.model_name, model_version=model_version, as_of_date=current, reference_date=reference
    )


def _reference(
    connection: duckdb.DuckDBPyConnection, name: str, model_version: str, trained_through: date, current: date
) -> tuple[pd.DataFrame, date | None]:
    """Scores at the date that now is held against, and the date."""
    for query in (
        "select customer_id, as_of_date, probability as score from ml.judged_predictions "
        "join features.int_as_of_dates using (as_of_date) "
        "where model_name = ? and model_version = ? and judged_for = 'hold_out' and as_of_date < ?",
        "select customer_id, as_of_date, score from ml.scores join features.int_as_of_dates using (as_of_date) "
        "where model_name = ? and model_version = ? and as_of_date < ?",
    ):
        rows = connection.execute(query, [name, model_version, current]).df()
        if len(rows):
            day = rows["as_of_date"].min()
            return rows.loc[rows["as_of_date"] == day, ["customer_id", "score"]], day.date()
    row = connection.execute(
        "select max(as_of_date) from features.int_as_of_dates where as_of_date <= ? and as_of_date < ?",
        [trained_through + timedelta(days=1), current],
    ).fetchone()
    return pd.DataFrame(), None if row is None else row[0]


def _facts(
    connection: duckdb.DuckDBPyConnection, name: str, current: date, outcomes: pd.DataFrame, drift: pd.DataFrame
) -> "ModelFacts":
    """What is known of a model now. When it was last trained is the model assets' to know, and not asked here."""
    from ml.monitoring.retraining import ModelFacts

    version = _version(connection, name)
    if version is None:
        return ModelFacts(current)
    return ModelFacts(
        current,
        model_version=version[0],
        trained_through=version[1],
        schema_of_model=version[3],
        drift=drift,
        outcomes=outcomes,
    )
