"""Scores of all customers of a warehouse, a batch at a time: what is read is scored and written before more is read.

How much memory that takes depends on the size of a batch and on what DuckDB may use, not on the number of customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration.warehouse import writing

if TYPE_CHECKING:  # every dbt command loads this package, and scikit-learn takes seconds to import
    import duckdb
    import pyarrow as pa

    from ml.batch_scoring import Predict

# As many rows as DuckDB stores together.
BATCH_ROWS = 122_880
# What DuckDB may keep of the file and of joins; beyond it, it uses the disk beside the warehouse.
MEMORY_LIMIT = "512MB"
SCORES = "ml.scores"


class Query(NamedTuple):
    """SQL, and what its question marks stand for."""

    sql: str
    values: Sequence[Any] = ()


def score_in_batches(
    warehouse: Path,
    query: Query,
    predict: Predict,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    *,
    facts: Mapping[str, Any],
    where: Mapping[str, Any],
    run_id: str,
    batch_rows: int = BATCH_ROWS,
) -> int:
    """Score what `query` gives and put it into ``ml.scores``, where the rows with the values of `where` were.

    All of it is one transaction: an error, of the query, the model or the disk, leaves the scores as they were.

    Parameters
    ----------
    warehouse : the DuckDB file
    where : which rows of ``ml.scores`` are replaced, by column, e.g. ``{"model_name": "purchase_propensity_14d"}``

    The others, the result and the errors are those of `add_scores`.
    """
    condition = " and ".join(f"{name} = ?" for name in where)
    with writing(warehouse) as connection:
        connection.execute(f"delete from {SCORES} where {condition}", list(where.values()))
        return add_scores(
            connection, SCORES, query, predict, numeric, categorical, facts=facts, run_id=run_id, batch_rows=batch_rows
        )


def add_scores(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    query: Query,
    predict: Predict,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    *,
    facts: Mapping[str, Any],
    run_id: str,
    batch_rows: int = BATCH_ROWS,
) -> int:
    """Score what `query` gives, and add the rows to `table`.

    Features are read through a cursor of the connection that writes, because a second connection to the file is not
    possible: it sees the warehouse as it was before the transaction.

    Parameters
    ----------
    connection : within a transaction
    table : with the columns of ``ml.scores``
    query : customer_id, as_of_date, the features and, for a score per offer, campaign_id
    predict, numeric, categorical : see `ml.batch_scoring.score_batches`
    facts : model_name, model_version, feature_schema_hash, score_kind, unit, horizon_days
    run_id : the run that writes

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    MissingColumnsError, WrongTypeError
        If the query's columns are not those of the model.
    ValueError
        If a score is not a number, or a fact is no column of ``ml.scores``.
    """
    from ml.batch_scoring import score_batches
    from ml.score_rows import SCORE_COLUMNS

    unknown = sorted(set(facts) - set(SCORE_COLUMNS))
    if unknown:
        raise ValueError(f"{SCORES} has no columns {', '.join(unknown)}; see ml/score_rows.py")
    written = 0
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    with connection.cursor() as cursor:
        reader = cursor.execute(query.sql, list(query.values)).to_arrow_reader(batch_rows)
        scored = score_batches(reader, predict, numeric, categorical, f"the input of {facts['model_name']}")
        # Found by its name. Registered, every batch would be held until the transaction ends: so long the catalog keeps
        # the views that are gone.
        for incoming_scores in _one_ahead(scored):
            given = [name for name in SCORE_COLUMNS if name in incoming_scores.schema.names]
            same = [name for name in facts if name not in given]
            connection.execute(
                f"insert into {table} ({', '.join([*given, *same, 'run_id'])}) "
                f"select {', '.join([*given, *('?' for _ in same), '?'])} from incoming_scores",
                [*(facts[name] for name in same), run_id],
            )
            written += incoming_scores.num_rows
    return written


def _one_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, each worked out while the one before is written: both mostly run outside of Python."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch
