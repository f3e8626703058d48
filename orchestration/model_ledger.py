"""What cannot be recomputed about models: which was chosen when and why, on what evidence, and what it said.

Append-only Parquet under `state/`, written when a run is promoted, and by a rollback. A run at an as-of date reads no
decision that was not known then. Scores are facts: what a promoted run said of a date stays as it was said.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from ingestion.sql import literal
from orchestration.ledger import SCHEMA_VERSION, append_rows, ledger_contract, open_ledger, passed_gate
from orchestration.warehouse import has_table
from shops import ShopFolders

DECISIONS, CHAMPIONS = "model_decisions", "model_champions"
# The decisions last: what a run chose holds once its decision is on record.
RECORDED = ("model_versions", "model_performance", "model_decision_checks", "judged_predictions", CHAMPIONS, DECISIONS)
PROMOTED, FALLBACK, ROLLED_BACK = "promoted", "fallback", "rolled back"
# Which recording of a table: not in the warehouse.
_OF_THE_LEDGER = ("schema_version", "promotion_number")


Row = TypeVar("Row", "Choice", "Decided")


@dataclass(frozen=True)
class Choice:
    """What scores from a date on: a row of `model_champions`."""

    model_name: str
    choice_number: int
    model_version: str
    choice: str
    is_fallback: bool
    known_from: date
    hold_out_from: date | None
    trained_through: date
    feature_schema_hash: str
    artifact_sha256: str
    reason: str
    chosen_by: str
    chosen_at: datetime | None
    run_id: str | None


@dataclass(frozen=True)
class Decided:
    """A decision of the promotion gate: a row of `model_decisions`."""

    model_name: str
    decisions_taken: int
    hold_out_from: date | None
    hold_out_through: date | None
    uses_hold_out: bool
    challenger_version: str | None
    champion_version: str | None
    verdict: str
    reason: str
    trained_because: str
    as_of_date: date
    known_from: date
    definition_hash: str
    rows: int
    positives: int
    run_id: str


@dataclass(frozen=True)
class ModelPast:
    """What the ledger says of one model.

    Attributes
    ----------
    choices : what a run at the date may know, the one that holds now last
    decisions : of these the decisions, the newest last
    all_decisions : also those that became known later: a hold-out that decided once decides nothing else
    choice_count : of all choices ever
    """

    choices: list[Choice]
    decisions: list[Decided]
    all_decisions: list[Decided]
    choice_count: int

    @property
    def champion(self) -> Choice | None:
        """What scores now; None before there is anything."""
        return self.choices[-1] if self.choices else None

    @property
    def used_through(self) -> date | None:
        """Last as-of date of any hold-out that has decided."""
        return max((one.hold_out_through for one in self.all_decisions if one.uses_hold_out and one.hold_out_through),
                   default=None)  # fmt: skip


def model_past(folders: ShopFolders, model_name: str, as_of: date | None = None) -> ModelPast:
    """The past of a model as a run at `as_of` may know it (default: all of it)."""
    choices, decisions = all_choices(folders, model_name), all_decisions(folders, model_name)
    known = [one for one in choices if as_of is None or one.known_from <= as_of]
    return ModelPast(
        known, [one for one in decisions if as_of is None or one.known_from <= as_of], decisions, len(choices)
    )


def all_choices(folders: ShopFolders, model_name: str | None = None) -> list[Choice]:
    """Choices of one model, or of all; of each model the one that holds comes last."""
    return _read(folders, Choice, CHAMPIONS, model_name, "model_name, known_from, choice_number")


def all_decisions(folders: ShopFolders, model_name: str | None = None) -> list[Decided]:
    """Decisions about one model, or about all, by when they became known."""
    return _read(folders, Decided, DECISIONS, model_name, "model_name, known_from, as_of_date, decisions_taken")


def _read(folders: ShopFolders, kind: type[Row], table: str, model_name: str | None, order: str) -> list[Row]:
    listed = ", ".join(field.name for field in fields(kind))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(
            f"select {listed} {_standing(folders, table)} where ? is null or model_name = ? order by {order}",
            [model_name, model_name],
        ).fetchall()
    return [kind(*row) for row in rows]


def _standing(folders: ShopFolders, table: str) -> str:
    """Rows of a ledger table, each once; choices of a run whose decision was never recorded are none."""
    open_ledger(folders)
    files = f"read_parquet({literal(folders.state / table / '*.parquet')}, union_by_name = true)"
    decisions = f"read_parquet({literal(folders.state / DECISIONS / '*.parquet')}, union_by_name = true)"
    if table == DECISIONS:
        return f"from {files}"
    return f"from (from {files} where run_id is null or run_id in (select run_id from {decisions}))"


def versions_known(folders: ShopFolders, past: ModelPast) -> list[str]:
    """Versions that were judged or chosen, as far as `past` goes."""
    judged = [one.challenger_version for one in past.decisions if one.challenger_version is not None]
    return sorted({*judged, *(one.model_version for one in past.choices)})


def restore_model(
    connection: duckdb.DuckDBPyConnection, folders: ShopFolders, model_name: str, as_of: date, past: ModelPast
) -> None:
    """Make the warehouse say of a model what the ledger says at `as_of`, and nothing else.

    What an unfinished run or a run as of a later date has left goes; what a lost warehouse had comes back.
    """
    versions = versions_known(folders, past)
    # A model that was judged is a fact of its own: only what is not there is read, as these rows are many.
    connection.execute(
        "delete from ml.judged_predictions where model_name = ? and not list_contains(?::varchar[], model_version)",
        [model_name, versions],
    )
    there = connection.execute(
        "select distinct model_version from ml.judged_predictions where model_name = ?", [model_name]
    ).fetchall()
    missing = sorted(set(versions) - {version for (version,) in there})
    # A version that was judged twice has the evidence of the second time.
    of_versions = (
        "list_contains(?::varchar[], model_version) "
        "qualify promotion_number = max(promotion_number) over (partition by model_version)"
    )
    for table in ("model_versions", "model_performance", "model_decision_checks"):
        connection.execute(f"delete from ml.{table} where model_name = ?", [model_name])
        _insert(connection, folders, table, of_versions, versions)
    _insert(connection, folders, "judged_predictions", of_versions, missing)
    for table in (DECISIONS, CHAMPIONS):
        connection.execute(f"delete from ml.{table} where model_name = ?", [model_name])
        _insert(connection, folders, table, f"known_from <= ? and model_name = {literal(model_name)}", as_of)
    flag_champion(connection, model_name, past.champion.model_version if past.champion else None)
    restore_scores(connection, folders, model_name, as_of, versions)


def flag_champion(connection: duckdb.DuckDBPyConnection, model_name: str, version: str | None) -> None:
    """Of a model's figures those of the champion are the champion's."""
    connection.execute(
        "update ml.model_performance set is_champion = is_champion and model_version is not distinct from ? "
        "where model_name = ?",
        [version, model_name],
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, folders: ShopFolders, table: str, condition: str, value: object
) -> None:
    columns = ", ".join(name for name in ledger_contract()[table] if name not in _OF_THE_LEDGER)
    connection.execute(
        f"insert into ml.{table} ({columns}) select {columns} {_standing(folders, table)} where {condition}", [value]
    )


def restore_scores(
    connection: duckdb.DuckDBPyConnection,
    folders: ShopFolders,
    model_name: str,
    as_of: date,
    versions: list[str] | None = None,
    horizon_days: int | None = None,
) -> None:
    """Put in what the ledger has of a model's scores up to `as_of` and the warehouse has not.

    Parameters
    ----------
    versions : of a model with a promotion gate all versions that are known; scores that are not on record then go
    horizon_days : of a model whose horizon is a setting only scores of this one
    """
    units = "model_name, as_of_date, campaign_id"
    connection.execute(
        f"create or replace temp table recorded_scores as "
        f"select {units}, max(promotion_number) as promotion_number, max_by(run_id, promotion_number) as run_id "
        f"{_scores(folders)} where model_name = $1 and as_of_date <= $2 "
        f"and ($3 is null or horizon_days = $3) and ($4 is null or list_contains($4::varchar[], model_version)) "
        f"group by {units}",
        [model_name, as_of, horizon_days, versions],
    )
    same = "stored.model_name = recorded.model_name and stored.as_of_date = recorded.as_of_date " \
           "and stored.campaign_id is not distinct from recorded.campaign_id"  # fmt: skip
    if versions is not None:
        connection.execute(
            f"delete from ml.scores as stored where model_name = ? and not exists "
            f"(select 1 from recorded_scores as recorded where {same} and stored.run_id = recorded.run_id)",
            [model_name],
        )
    connection.execute(
        f"create or replace temp table missing_scores as select * from recorded_scores as recorded "
        f"where not exists (select 1 from (select distinct {units} from ml.scores where model_name = ?) as stored "
        f"where {same})",
        [model_name],
    )
    columns = [name for name in ledger_contract()["scores"] if name not in _OF_THE_LEDGER]
    listed = ", ".join(columns)
    chosen = ", ".join(f"stored.{name}" for name in columns)
    if connection.execute("select count(*) > 0 from missing_scores").fetchone() == (True,):
        connection.execute(
            f"insert into ml.scores ({listed}) select {chosen} from (select * {_scores(folders)}) as stored "
            f"join missing_scores as recorded on {same} and stored.promotion_number = recorded.promotion_number",
        )
    connection.execute("drop table recorded_scores; drop table missing_scores")


def restore_written(
    connection: duckdb.DuckDBPyConnection, folders: ShopFolders, model_name: str, as_of: date, horizon_days: int
) -> None:
    """Of a model without a promotion gate, put in scores that the warehouse has lost, and the versions they name."""
    restore_scores(connection, folders, model_name, as_of, horizon_days=horizon_days)
    _insert(
        connection,
        folders,
        "model_versions",
        f"model_name = ? and model_version in (select model_version from ml.scores where model_name = "
        f"{literal(model_name)}) and model_version not in (select model_version from ml.model_versions) "
        "qualify promotion_number = max(promotion_number) over (partition by model_version)",
        model_name,
    )


def _scores(folders: ShopFolders) -> str:
    open_ledger(folders)
    return f"from read_parquet({literal(folders.state / 'scores' / '*.parquet')}, union_by_name = true)"


def record_models(folders: ShopFolders, warehouse: Path, run_id: str) -> None:
    """Append what the run `run_id` wrote of scores and models, if it passed the scores gate; twice is as once."""
    if not all(has_table(warehouse, "ml", table) for table in ("scores", *RECORDED)):
        return
    open_ledger(folders)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if not passed_gate(connection, "scores", run_id):
            return
        _record_scores(connection, folders, run_id)
        # The figures of a model that nobody decides on are made anew by each run; what its scores name is kept.
        decided_on = f"model_name in (select model_name from ml.{CHAMPIONS})"
        files = literal(folders.state / "model_versions" / "*.parquet")
        named = (
            "model_version in (select model_version from ml.scores) and model_version not in "
            f"(select model_version from read_parquet({files}, union_by_name = true) where model_version is not null)"
        )
        for table in RECORDED:
            counts = f"({decided_on} or ({named}))" if table == "model_versions" else decided_on
            _append(
                connection, folders, table, f"from ml.{table} where run_id = {literal(run_id)} and {counts}", run_id
            )


def _record_scores(connection: duckdb.DuckDBPyConnection, folders: ShopFolders, run_id: str) -> None:
    """Append the scores of each model, date and campaign that the ledger does not have so.

    What it has of a date before the newest one is a fact: a run as of that date may say otherwise, and is not recorded.
    """
    columns = [name for name in ledger_contract()["scores"] if name not in (*_OF_THE_LEDGER, "run_id")]
    units = "model_name, as_of_date, campaign_id"
    content = f"count(*) as row_count, bit_xor(hash({', '.join(columns)})) as content"
    written = f"from ml.scores where run_id = {literal(run_id)}"
    connection.execute(
        f"""
        create or replace temp table new_scores as
        with written as (select {units}, {content} {written} group by {units}),
        of_dates as (
            select * {_scores(folders)}
            where (model_name, as_of_date) in (select (model_name, as_of_date) from written)
            qualify promotion_number = max(promotion_number) over (partition by {units})
        ),
        recorded as (select {units}, {content} from of_dates group by {units}),
        newest as (select model_name, max(as_of_date) as newest_date {_scores(folders)} group by model_name)
        select written.* from written left join newest on written.model_name = newest.model_name left join recorded
            on written.model_name = recorded.model_name and written.as_of_date = recorded.as_of_date
            and written.campaign_id is not distinct from recorded.campaign_id
        where recorded.row_count is null or (
            (written.row_count, written.content) <> (recorded.row_count, recorded.content)
            and written.as_of_date >= newest.newest_date
        )
        """
    )
    rows = (
        f"from (select * {written}) as stored where exists (select 1 from new_scores as fresh where "
        "stored.model_name = fresh.model_name and stored.as_of_date = fresh.as_of_date "
        "and stored.campaign_id is not distinct from fresh.campaign_id)"
    )
    _append(connection, folders, "scores", rows, run_id)


def _append(connection: duckdb.DuckDBPyConnection, folders: ShopFolders, table: str, rows: str, run_id: str) -> None:
    folder = folders.state / table
    if list(folder.glob(f"*-{run_id}.parquet")):
        return
    count = connection.execute(f"select count(*) {rows}").fetchone()
    if not count or not count[0]:
        return
    number = next_number(folder)
    constants = {"schema_version": str(SCHEMA_VERSION), "promotion_number": str(number)}
    listed = ", ".join(
        f"cast({constants.get(name, name)} as {kind}) as {name}" for name, kind in ledger_contract()[table].items()
    )
    # Scores by date and customer: whoever asks for a date reads little of the file.
    order = "order by model_name, as_of_date, customer_id" if table == "scores" else "order by all"
    append_rows(connection, folder / f"{number:06d}-{run_id}.parquet", f"select {listed} {rows} {order}")


def next_number(folder: Path) -> int:
    """The number of the next file of a ledger table."""
    return 1 + max((int(file.name.split("-")[0]) for file in folder.glob("[0-9]*.parquet")), default=0)


def record_choice(folders: ShopFolders, choice: Choice) -> None:
    """Append a choice that somebody made by hand; it takes effect with the next run."""
    open_ledger(folders)
    folder = folders.state / CHAMPIONS
    number = next_number(folder)
    values = {"schema_version": SCHEMA_VERSION, "promotion_number": number, **choice.__dict__}
    listed = ", ".join(
        f"cast({'null' if values[name] is None else literal(str(values[name]))} as {kind}) as {name}"
        for name, kind in ledger_contract()[CHAMPIONS].items()
    )
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        append_rows(connection, folder / f"{number:06d}-{HAND_MADE}-{choice.model_name}.parquet", f"select {listed}")


# In the name of the file of a choice that no run made.
HAND_MADE = "rollback"


def now() -> datetime:
    """The time of a choice by hand."""
    return datetime.now(UTC).replace(tzinfo=None)
