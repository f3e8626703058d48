"""The linkage model as an asset between two identity models: learn without labels, compare what changed, write pairs.

How records are compared is in `ml/linkage/`; here is only which records go in and where the pairs lie. `dbt build`
without this asset uses the pairs of the last run.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa

from ingestion.sql import literal
from orchestration.ledger import newest_linkage_model
from orchestration.progress import StageClock
from orchestration.stages import gate_before
from orchestration.warehouse import reading, writing
from orchestration.workspace import RunWorkspace
from shops import Settings, ShopFolders
from shops.settings import LinkageSection

MODEL_NAME = "probabilistic_linkage"
MIN_RECORDS = 200  # fewer records teach nothing about how often strangers agree
RETRAIN_GROWTH = 4.0  # a model is trained anew when there are so many times the records that it was trained on

_PERSONS = """
    select source_record_key as record_key, given_name, last_name, email_key as email, phone, street, street_number,
        postcode, city, birth_date::varchar as birth_date
    from identity.int_identity__persons
"""
_PRINTS = """
    select record_key, hash(given_name, last_name, email, phone, street, street_number, postcode, city,
        birth_date)::varchar as content_hash
    from persons
"""


def build_linkage_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `identity/probabilistic_linkage`."""

    @dg.asset(
        key=["identity", MODEL_NAME],
        group_name="identity",
        kinds={"python", "splink", "duckdb"},
        deps=[dg.AssetKey(["identity", "int_identity__persons"]), gate_before("identity")],
        description="Pairs of records that are likely one person though no rule ties them; learnt without labels.",
    )
    def probabilistic_linkage(context: dg.AssetExecutionContext, workspace: RunWorkspace) -> dg.MaterializeResult[None]:
        clock = StageClock(context, "identity")
        linked = link(workspace.warehouse, workspace.folders, settings.identity.linkage, workspace.run_id)
        if linked is None:
            clock.done(f"linkage is off: fewer than {MIN_RECORDS} records describe a person")
            return dg.MaterializeResult(metadata={"switched_off": "too few records that describe a person"})
        clock.done(
            f"linkage: {linked.changed:,} of {linked.records:,} records compared anew, {linked.compared:,} pairs, "
            f"{linked.tied:,} tied, {linked.for_review:,} for review"
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": linked.tied + linked.for_review,
                "model_version": linked.model_version,
                "trained_now": linked.is_new,
                "records": linked.records,
                "records_compared_anew": linked.changed,
                "pairs_compared": linked.compared,
                "pairs_tied": linked.tied,
                "left_out": dg.MetadataValue.md("\n".join(f"- {why}" for why in linked.left_out) or "nothing"),
            }
        )

    return probabilistic_linkage


@dataclass(frozen=True)
class Linked:
    """What a linkage did: records there are and compared anew, pairs compared, tied and possible, what it left out."""

    model_version: str
    is_new: bool
    records: int
    changed: int
    compared: int
    tied: int
    for_review: int
    left_out: list[str]


def link(warehouse: Path, folders: ShopFolders, settings: LinkageSection, run_id: str) -> Linked | None:
    """Compare the persons in `warehouse` that changed with all, and write the pairs to `ml.identity_matches`.

    The model is the last one, of the warehouse or else of the ledger; it is trained anew when its settings changed or
    the records have become many more. None where too few records describe a person: then there are no pairs.
    """
    from ml.linkage import LinkageModel, LinkageSettings, score, train

    with reading(warehouse) as connection:
        persons = connection.execute(_PERSONS).to_arrow_table()
        stored = _stored_model(connection) or newest_linkage_model(folders)
    if len(persons) < MIN_RECORDS:
        with writing(warehouse) as connection:
            for table in ("identity_matches", "linkage_models", "linkage_records"):
                connection.execute(f"delete from ml.{table}")
        return None
    wanted = LinkageSettings(threshold=settings.review_probability, max_pairs_per_rule=settings.max_pairs_per_rule)
    trained_with = json.dumps(asdict(wanted), sort_keys=True)
    is_new = (
        stored is None
        or stored["trained_with"] != trained_with
        or len(persons) > RETRAIN_GROWTH * stored["record_count"]
    )
    if stored is None or is_new:
        model = train(persons, wanted)
        stored = {"trained_with": trained_with, "record_count": len(persons), "model": model.to_json()}
    else:
        model = LinkageModel.from_json(stored["model"])
    with reading(warehouse) as connection:
        connection.register("persons", persons)
        changed, gone = _differences(connection, model.version)
    found = score(model, persons, None if len(changed) == len(persons) else changed)
    with writing(warehouse) as connection:
        connection.register("persons", persons)
        _store(connection, run_id, model, stored, found.pairs, changed, gone)
        counts = connection.execute(
            "select count(*) filter (where match_probability >= $1), count(*) filter (where match_probability < $1) "
            "from ml.identity_matches",
            [settings.min_probability],
        ).fetchone()
    assert counts is not None
    skipped = {rule: f"{count} blocks are too large" for rule, count in found.skipped_blocks.items()}
    left_out = [f"{name}: {why}" for name, why in {**model.dropped, **skipped}.items()]
    return Linked(model.version, is_new, len(persons), len(changed), found.compared, counts[0], counts[1], left_out)


def _stored_model(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    row = connection.execute("select trained_with, record_count, model from ml.linkage_models").fetchone()
    return None if row is None else dict(zip(("trained_with", "record_count", "model"), row, strict=True))


def _differences(connection: duckdb.DuckDBPyConnection, version: str) -> tuple[list[str], list[str]]:
    """Keys of the records that this model has not compared as they are now, and of those that are no more."""
    rows = connection.execute(
        f"""
        select coalesce(now.record_key, earlier.source_record_key), now.record_key is null
        from ({_PRINTS}) as now
        full join (select * from ml.linkage_records where model_version = ?) as earlier
            on now.record_key = earlier.source_record_key
        where now.content_hash is distinct from earlier.content_hash
        order by 1
        """,
        [version],
    ).fetchall()
    return [key for key, is_gone in rows if not is_gone], [key for key, is_gone in rows if is_gone]


def _store(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    model: Any,
    stored: dict[str, Any],
    pairs: pa.Table,
    changed: list[str],
    gone: list[str],
) -> None:
    connection.register("found_pairs", pairs)
    connection.register("touched_keys", pa.table({"touched_key": pa.array(changed + gone, pa.string())}))
    connection.execute("delete from ml.identity_matches where model_version <> ?", [model.version])
    for side in ("left", "right"):
        connection.execute(
            f"delete from ml.identity_matches where {side}_record_key in (select touched_key from touched_keys)"
        )
    connection.execute(
        f"""
        insert into ml.identity_matches by name
        select left_key as left_record_key, right_key as right_record_key, probability as match_probability,
            match_weight, {_explanation_sql(model)} as explanation, $name as model_name, $version as model_version,
            $run as run_id
        from found_pairs
        """,
        {"name": MODEL_NAME, "version": model.version, "run": run_id},
    )
    connection.execute(
        "delete from ml.linkage_records "
        "where model_version <> ? or source_record_key in (select touched_key from touched_keys)",
        [model.version],
    )
    # Those that are gone have no print.
    connection.execute(
        f"insert into ml.linkage_records by name select record_key as source_record_key, content_hash, "
        f"? as model_version from ({_PRINTS}) where record_key in (select touched_key from touched_keys)",
        [model.version],
    )
    connection.execute("delete from ml.linkage_models")
    connection.execute(
        "insert into ml.linkage_models by name select ? as model_version, ? as trained_with, ? as record_count, "
        "? as model, ? as run_id",
        [model.version, stored["trained_with"], stored["record_count"], stored["model"], run_id],
    )


def _explanation_sql(model: Any) -> str:
    """JSON of what the weight is the sum of, in the order in which it is compared."""
    steps = [_step("before any comparison", "'two records, whichever'", "prior_weight")]
    for comparison in model.comparisons:
        name = comparison["output_column_name"]
        said = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        found = " ".join(
            f"when {len(said) - 1 - place} then {literal(level['label_for_charts'])}"
            for place, level in enumerate(said)
        )
        found = f"case level_{name} when -1 then 'one says nothing' {found} end"
        steps.append(_step(name.replace("_", " "), found, f"weight_{name}"))
    steps.append(_step("moved", "'what differs with a move counts once'", "moved_excuse"))
    steps.append(_step("household", "'what a household shares weighs no more'", "household_bound"))
    return f"to_json([{', '.join(steps)}])"


def _step(comparison: str, found_sql: str, weight_sql: str) -> str:
    return f"{{'comparison': {literal(comparison)}, 'found': {found_sql}, 'weight': round({weight_sql}, 2)}}"
