"""Buy readiness as an asset: dates that lack a score get one, scores of past dates stay as they were written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd

from ml.catalogue import Feature, read_catalogue
from orchestration.metadata import images, markdown_table
from orchestration.model_inputs import current_as_of
from orchestration.model_ledger import restore_written
from orchestration.progress import StageClock
from orchestration.stages import gate_before
from orchestration.warehouse import reading, replace_rows, writing
from orchestration.workspace import RunWorkspace
from shops import Settings

if TYPE_CHECKING:
    from ml.readiness import Formula
    from ml.readiness_evidence import Evidence

_LABEL = "label_readiness"
# Who has features at all: customers with an order before the as-of date.
_POPULATION = "feat_customer_rfm"
# Where its inputs lie; who is not in one of them has null there.
_TABLES = (_POPULATION, "feat_customer_engagement", "feat_customer_email")


def build_readiness_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `scores/buy_readiness`."""

    @dg.asset(
        key_prefix="scores",
        group_name="scores",
        kinds={"python", "scikitlearn"},
        deps=[
            *(dg.AssetKey(["features", name]) for name in ("int_as_of_dates", _LABEL, *_TABLES)),
            gate_before("scores"),
        ],
        description="Readiness to buy, 0 to 100, at every scheduled date and now, each by a scorecard made before it; "
        "held against what was bought after it.",
    )
    def buy_readiness(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        from ml import readiness

        clock = StageClock(context, "scores")
        horizon = settings.models.readiness.horizon_days
        folder = workspace.folders.models / readiness.MODEL_NAME
        with writing(workspace.warehouse) as connection:
            as_of = current_as_of(connection)
            restore_written(connection, workspace.folders, readiness.MODEL_NAME, as_of, horizon)
        done = refresh(workspace.warehouse, folder, horizon, workspace.run_id)
        if done is None:
            clock.done(f"no buy readiness: {readiness.WHY_NONE}")
            return dg.MaterializeResult(metadata={"switched_off": readiness.WHY_NONE})
        metrics, newest = done.evidence.metrics(), done.formula
        judged = (
            f"ROC-AUC {metrics['roc_auc']:.3f} on {len(done.evidence.by_date)} dates" if metrics else "not judged yet"
        )
        clock.done(
            f"{readiness.MODEL_NAME}: {judged}, {done.rows_written:,} scores of {done.dates_written} date(s) written, "
            f"{done.rows_kept:,} of past dates kept"
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": done.rows_written + done.rows_kept,
                "rows_written": done.rows_written,
                "rows_kept": done.rows_kept,
                "model_version": newest.model_version,
                "formula_made_on": str(newest.made_on),
                "trained_through": str(newest.trained_through),
                "points": dg.MetadataValue.md(markdown_table(newest.card.table())),
                "reliability": dg.MetadataValue.md(markdown_table(done.evidence.reliability)),
                **metrics,
                **images(done.evidence.plots()),
            }
        )

    return buy_readiness


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: the newest formula, the evidence over all dates, and how many rows it wrote and kept."""

    formula: "Formula"
    evidence: "Evidence"
    rows_written: int
    rows_kept: int
    dates_written: int


def refresh(warehouse: Path, folder: Path, horizon: int, run_id: str) -> Refreshed | None:
    """Score the dates that have no score yet, and the current one; judge all of them; None where nobody can be scored.

    Then what earlier runs wrote goes, too.

    Parameters
    ----------
    warehouse : the DuckDB file
    folder : where formulas are stored, a folder for each
    horizon : days that readiness looks ahead
    """
    from ml import artifacts, readiness, readiness_evidence

    with reading(warehouse) as connection:
        scheduled, current = _dates(connection)
        labels = _labels(connection, horizon)
        kept = _kept(connection, readiness.MODEL_NAME, horizon, current)
        todo = readiness.plan(scheduled, current, labels, kept["as_of_date"].unique(), horizon)
        described = read_catalogue().named(readiness.FEATURES)
        features = _features(connection, described, [*todo.to_score, *todo.training_dates])
        recency = _recency(connection, readiness_evidence.BASELINE)
    if not todo.to_score:
        with writing(warehouse) as connection:
            for table in ("ml.scores", "ml.model_performance", "ml.model_versions"):
                connection.execute(f"delete from {table} where model_name = ?", [readiness.MODEL_NAME])
        return None
    formulas = readiness.fit(todo, features, labels, horizon)
    scores = readiness.score(todo.to_score, formulas, features)
    newest = formulas[max(formulas)]
    everything = pd.concat([kept, scores[list(kept.columns)]], ignore_index=True)
    evidence = readiness_evidence.judge(everything, labels, recency, newest.model_version, horizon)
    versions = []
    for formula in formulas.values():
        facts = {"model_name": readiness.MODEL_NAME, "feature_names": list(readiness.FEATURES), **formula.facts()}
        versions.append(formula.version_row(artifacts.save(folder / formula.model_version, None, facts)))
    with writing(warehouse) as connection:
        _add_scores(connection, scores, readiness.MODEL_NAME, horizon, run_id)
        _add_versions(connection, pd.concat(versions), readiness.MODEL_NAME, run_id)
        figures = evidence.performance.assign(run_id=run_id)
        replace_rows(connection, "ml.model_performance", figures, {"model_name": readiness.MODEL_NAME})
    return Refreshed(newest, evidence, len(scores), len(kept), len(todo.to_score))


def _dates(connection: duckdb.DuckDBPyConnection) -> tuple[list[date], date]:
    rows = connection.execute("select as_of_date, is_scheduled, is_current from features.int_as_of_dates").fetchall()
    return [day for day, is_scheduled, _ in rows if is_scheduled], max(day for day, _, is_current in rows if is_current)


def _labels(connection: duckdb.DuckDBPyConnection, horizon: int) -> pd.DataFrame:
    return connection.execute(
        f"select customer_id, as_of_date, has_purchased from features.{_LABEL} "
        "join features.int_as_of_dates using (as_of_date) where horizon_days = ? and is_scheduled",
        [horizon],
    ).df()


def _kept(connection: duckdb.DuckDBPyConnection, model_name: str, horizon: int, current: date) -> pd.DataFrame:
    """Scores of past dates that an earlier run wrote; a date that has no features any more has none of these either."""
    return connection.execute(
        "select customer_id, as_of_date, score from ml.scores join features.int_as_of_dates using (as_of_date) "
        "where model_name = ? and horizon_days = ? and as_of_date < ?",
        [model_name, horizon, current],
    ).df()


def _features(connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], days: Iterable[date]) -> pd.DataFrame:
    listed = ", ".join(f"{feature.table}.{feature.name}" for feature in features)
    joins = " ".join(f"left join features.{table} using (customer_id, as_of_date)" for table in _TABLES[1:])
    return connection.execute(
        f"select customer_id, as_of_date, {listed} from features.{_POPULATION} {joins} "
        "where list_contains(?::date[], as_of_date)",
        [sorted(set(days))],
    ).df()


def _recency(connection: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    return connection.execute(
        f"select customer_id, as_of_date, {name} from features.{_POPULATION} "
        "join features.int_as_of_dates using (as_of_date) where is_scheduled"
    ).df()


def _add_scores(
    connection: duckdb.DuckDBPyConnection, scores: pd.DataFrame, model_name: str, horizon: int, run_id: str
) -> None:
    """Put in the dates that were scored; what stands of another horizon, or of dates without features, goes."""
    connection.execute(
        "delete from ml.scores where model_name = ? and (horizon_days <> ? "
        "or as_of_date not in (select as_of_date from features.int_as_of_dates))",
        [model_name, horizon],
    )
    for day, rows in scores.groupby("as_of_date"):
        replace_rows(connection, "ml.scores", rows.assign(run_id=run_id), {"model_name": model_name, "as_of_date": day})


def _add_versions(connection: duckdb.DuckDBPyConnection, versions: pd.DataFrame, model_name: str, run_id: str) -> None:
    """Add formulas that no earlier run made; such as no score is from any more go."""
    known = {
        name for (name,) in connection.execute(
            "select model_version from ml.model_versions where model_name = ?", [model_name]
        ).fetchall()
    }  # fmt: skip
    for version, row in versions.groupby("model_version"):
        if version not in known:
            where: dict[str, Any] = {"model_name": model_name, "model_version": version}
            replace_rows(connection, "ml.model_versions", row.assign(run_id=run_id), where)
    connection.execute(
        "delete from ml.model_versions where model_name = ? "
        "and model_version not in (select model_version from ml.scores where model_name = ?)",
        [model_name, model_name],
    )
