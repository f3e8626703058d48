"""Who is who, and why: answers about a customer or two records, and what people decide about them.

`python -m orchestration identity` is the door. Answers come from the warehouse; decisions go to the ledger and take
effect with the next run.
"""

from __future__ import annotations

import getpass
import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.ledger import Decision, read_decisions, record_decision
from orchestration.lock import write_lock
from orchestration.warehouse import reading
from shops import ShopFolders

CUSTOMER_PREFIX = "c_"


class NotFound(LookupError):
    """Nothing in the warehouse answers to what was asked for."""


@dataclass(frozen=True)
class Record:
    """A source record as the index knows it; `customer_id` is null where it is nobody's."""

    key: str
    number: int
    source_system: str
    source_record_id: str
    customer_id: str | None
    set_aside_reason: str | None

    @property
    def name(self) -> str:
        return f"{self.source_system}:{self.source_record_id}"


def explain(folders: ShopFolders, one: str, other: str | None, console: Console) -> Path | None:
    """Print why `one` is who it is, or why `one` and `other` are the same or not.

    Parameters
    ----------
    one, other
        A customer id (`c_…`), or a source record as `system:id`, e.g. `crm_contacts:C10031676`.

    Returns
    -------
    The chart of match weights of the pair, where the linkage model compared it; else None.

    Raises
    ------
    NotFound
        No such customer or record; the message says what there is.
    """
    with reading(folders.warehouse) as connection:
        connection.execute("set timezone = 'UTC'")
        if other is None:
            _explain_customer(connection, _customer_of(connection, one), console)
            return None
        return _explain_pair(connection, folders, _record(connection, one), _record(connection, other), console)


def decide(
    folders: ShopFolders, verdict: str, one: str, other: str, reason: str | None, decided_by: str | None = None
) -> Decision:
    """Record that two source records are the same person, or are not.

    Raises
    ------
    NotFound
        One of the two is not in the warehouse.
    """
    with reading(folders.warehouse) as connection:
        left, right = _record(connection, one), _record(connection, other)
    if left.key == right.key:
        raise NotFound(f"{left.name} is one record; a decision is about two. Next: name the other one.")
    decision = Decision.of(
        verdict,
        (left.source_system, left.source_record_id),
        (right.source_system, right.source_record_id),
        reason=reason,
        decided_by=decided_by or getpass.getuser(),
    )
    with write_lock(folders.lock, "a decision about identity"):
        record_decision(folders, decision)
    return decision


def undo(folders: ShopFolders, decision_id: str, reason: str | None, decided_by: str | None = None) -> Decision:
    """Record that a decision no longer holds: the next run is as if it had never been taken.

    Raises
    ------
    NotFound
        There is no such decision, or it is undone already.
    """
    decisions = read_decisions(folders)
    standing = {one.decision_id for one in decisions if one.verdict != "undo"} - {one.undoes for one in decisions}
    if decision_id not in standing:
        listed = ", ".join(sorted(standing)) or "none"
        raise NotFound(f"there is no standing decision '{decision_id}'. Standing: {listed}.")
    decision = Decision.undoing(decision_id, reason=reason, decided_by=decided_by or getpass.getuser())
    with write_lock(folders.lock, "a decision about identity"):
        record_decision(folders, decision)
    return decision


def print_decisions(folders: ShopFolders, console: Console) -> None:
    """All decisions, the newest first, with whether they stand."""
    decisions = read_decisions(folders)
    undone = {one.undoes for one in decisions}
    table = _table("Decisions", "decision", "verdict", "one", "other", "by", "at", "reason", "stands")
    for one in sorted(decisions, key=lambda decision: decision.decided_at, reverse=True):
        stands = "undoes " + one.undoes if one.undoes else "no" if one.decision_id in undone else "yes"
        left, right = (":".join(part for part in pair if part) for pair in (one.left, one.right))
        table.add_row(
            one.decision_id, one.verdict, left, right, one.decided_by, f"{one.decided_at:%Y-%m-%d %H:%M}",
            one.reason or "", stands,
        )  # fmt: skip
    console.print(table if decisions else "no decisions yet")


def print_review(folders: ShopFolders, console: Console, most: int = 40) -> None:
    """What waits for a person to look at it."""
    with reading(folders.warehouse) as connection:
        counts = connection.execute(
            "select review_kind, reason, count(*) from identity.int_identity__review_queue "
            "group by all order by 3 desc, 1"
        ).fetchall()
        rows = connection.execute(
            """
            select review_kind, reason, customer_id, other_customer_id, record_count, match_probability,
                left_records.source_system || ':' || left_records.source_record_id,
                right_records.source_system || ':' || right_records.source_record_id
            from identity.int_identity__review_queue as queue
            left join identity.int_identity__source_records as left_records
                on queue.left_record_key = left_records.source_record_key
            left join identity.int_identity__source_records as right_records
                on queue.right_record_key = right_records.source_record_key
            order by match_probability desc nulls first, customer_id limit ?
            """,
            [most],
        ).fetchall()
    for kind, reason, count in counts:
        console.print(f"{count:,} {kind}: {reason}")
    table = _table(f"The first {len(rows)}", "kind", "one", "other", "records", "probability", "why")
    for kind, reason, customer, other, records, probability, left, right in rows:
        table.add_row(
            kind, left or customer, right or other or "", str(records),
            "" if probability is None else f"{probability:.3f}", reason,
        )  # fmt: skip
    console.print(table if rows else "nothing waits for review")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


_RECORDS = """
    select records.source_record_key, records.record_number, records.source_system, records.source_record_id,
        customers.customer_id, records.set_aside_reason
    from identity.int_identity__source_records as records
    left join identity.master_customer_index as customers
        on records.source_record_key = customers.source_record_key and customers.valid_to is null
"""


def _record(connection: duckdb.DuckDBPyConnection, name: str) -> Record:
    system, _, record_id = name.partition(":")
    row = connection.execute(
        f"{_RECORDS} where records.source_system = ? and records.source_record_id = ?", [system, record_id]
    ).fetchone()
    if row is None:
        systems = connection.execute(
            "select string_agg(distinct source_system, ', ' order by source_system) "
            "from identity.int_identity__source_records"
        ).fetchone()
        assert systems is not None
        raise NotFound(
            f"there is no source record '{name}'. Next: write it as system:id, e.g. crm_contacts:C1; "
            f"systems are {systems[0]}."
        )
    return Record(*row)


def _customer_of(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    if not name.startswith(CUSTOMER_PREFIX):
        record = _record(connection, name)
        if record.customer_id is None:
            raise NotFound(f"{record.name} is no customer's: {record.set_aside_reason}.")
        return record.customer_id
    known = connection.execute(
        "select count(*) from identity.master_customer_index where customer_id = ?", [name]
    ).fetchone()
    if not known or not known[0]:
        raise NotFound(f"there is no customer '{name}', and there never was one.")
    return name


def _explain_customer(connection: duckdb.DuckDBPyConnection, customer: str, console: Console) -> None:
    redirect = connection.execute(
        "select customer_id, retired_at from identity.int_identity__redirects where retired_customer_id = ?", [customer]
    ).fetchone()
    if redirect:
        leads_to = f"it leads to {redirect[0]}" if redirect[0] else "the record that it was made from is gone"
        console.print(f"{customer} was retired at {redirect[1]:%Y-%m-%d %H:%M}: {leads_to}")
        customer = redirect[0] or customer
    console.print(f"customer {customer}", style="bold", highlight=False)
    golden = connection.execute(
        "select field, field_value, source_system || ':' || source_record_id, written_at, value_count "
        "from identity.int_identity__golden_values where customer_id = ? order by field",
        [customer],
    ).fetchall()
    if golden:
        table = _table("Golden record", "field", "value", "from", "written", "values said")
        for field, value, source, written, count in golden:
            table.add_row(field, value, source, f"{written:%Y-%m-%d}", str(count))
        console.print(table)
    records = connection.execute(
        """
        select index.source_system, index.source_record_id, index.match_rule, index.match_confidence, history.evidence,
            index.valid_from, index.is_assumed
        from identity.master_customer_index as index
        inner join identity.int_identity__source_records as records using (source_record_key)
        left join (
            select record_number, arg_max(evidence, valid_from) as evidence
            from identity.int_identity__history group by record_number
        ) as history using (record_number)
        where index.customer_id = ? and index.valid_to is null
        order by index.valid_from, index.source_system, index.source_record_id
        """,
        [customer],
    ).fetchall()
    table = _table(f"{len(records)} source records", "record", "joined by", "confidence", "evidence", "since")
    for system, record_id, rule, confidence, evidence, since, is_assumed in records:
        shown = f"{since:%Y-%m-%d %H:%M}" + (" (assumed)" if is_assumed else "")
        table.add_row(f"{system}:{record_id}", rule, f"{confidence:.2f}", evidence or "", shown)
    console.print(table)
    shared = connection.execute(
        """
        select distinct shared.identifier_type, shared.identifier_value, shared.reason, shared.record_count
        from identity.int_identity__identifiers as identifiers
        inner join identity.int_identity__shared_identifiers as shared using (identifier_type, identifier_value)
        inner join identity.master_customer_index as index using (source_record_key)
        where index.customer_id = ? and index.valid_to is null order by all
        """,
        [customer],
    ).fetchall()
    if shared:
        table = _table("Identifiers that others share: they tied nobody", "type", "value", "why", "records")
        for kind, value, reason, count in shared:
            table.add_row(kind, value, reason, str(count))
        console.print(table)
    events = connection.execute(
        "select event_type, customer_id, other_customer_id, happened_at, is_assumed, record_count, evidence "
        "from identity.int_identity__events where customer_id = $1 or other_customer_id = $1 "
        "order by happened_at, event_type, customer_id",
        [customer],
    ).fetchall()
    table = _table("What happened", "when", "what", "whose", "into", "records", "why")
    for event, whom, into, happened, is_assumed, count, evidence in events:
        shown = f"{happened:%Y-%m-%d %H:%M}" + (" (assumed)" if is_assumed else "")
        table.add_row(shown, event, whom, into or "", str(count), evidence or "")
    console.print(table)


def _explain_pair(
    connection: duckdb.DuckDBPyConnection, folders: ShopFolders, one: Record, other: Record, console: Console
) -> Path | None:
    if one.customer_id is not None and one.customer_id == other.customer_id:
        console.print(f"{one.name} and {other.name} are the same customer: {one.customer_id}", highlight=False)
        table = _table("What leads from one to the other", "from", "rule", "confidence", "evidence", "to", "known")
        for left, rule, confidence, evidence, right, known in _path(connection, one, other):
            table.add_row(left, rule, f"{confidence:.3f}", evidence, right, f"{known:%Y-%m-%d %H:%M}")
        console.print(table)
    else:
        console.print(f"{one.name} and {other.name} are not the same customer", highlight=False)
        for record in (one, other):
            belongs = record.customer_id or f"nobody's: {record.set_aside_reason}"
            console.print(f"  {record.name}: {belongs}", highlight=False)
        reason = connection.execute(
            """
            select max(left_clusters.suspect_reason)
            from identity.int_identity__clusters as left_clusters
            inner join identity.int_identity__clusters as right_clusters using (component_number)
            where left_clusters.record_number = ? and right_clusters.record_number = ?
            """,
            [one.number, other.number],
        ).fetchone()
        if reason and reason[0]:
            console.print(f"  evidence leads from one to the other, but together they would be: {reason[0]}")
    common = connection.execute(
        """
        select identifier_type, identifier_value, shared.reason
        from identity.int_identity__identifiers as mine
        inner join identity.int_identity__identifiers as yours using (identifier_type, identifier_value)
        left join identity.int_identity__shared_identifiers as shared using (identifier_type, identifier_value)
        where mine.record_number = ? and yours.record_number = ? order by all
        """,
        [one.number, other.number],
    ).fetchall()
    if common:
        table = _table("Identifiers that both have", "type", "value", "counts")
        for kind, value, why in common:
            table.add_row(kind, value, f"no: {why}" if why else "yes")
        console.print(table)
    decisions = connection.execute(
        "select decision_id, verdict, decided_by, decided_at, reason from identity.int_identity__decisions "
        "where left_record_key = least($1, $2) and right_record_key = greatest($1, $2)",
        [one.key, other.key],
    ).fetchall()
    for decision, verdict, decided_by, decided_at, reason in decisions:
        because = f": {reason}" if reason else ""
        console.print(f"decided {verdict} by {decided_by} at {decided_at:%Y-%m-%d %H:%M} ({decision}){because}")
    return _chart(connection, folders, one, other, console)


def _path(connection: duckdb.DuckDBPyConnection, one: Record, other: Record) -> list[tuple[Any, ...]]:
    """The fewest edges that lead from one record to the other, of equal ways the surest first."""
    edges = connection.execute(
        """
        select edges.left_number, edges.right_number, edges.match_rule, edges.match_confidence, edges.evidence,
            edges.known_at
        from identity.int_identity__kept_edges as edges
        inner join identity.int_identity__clusters as clusters on edges.left_number = clusters.record_number
        where clusters.cluster_number = (
            select cluster_number from identity.int_identity__clusters where record_number = ?
        )
        order by edges.match_confidence desc, edges.left_number, edges.right_number
        """,
        [one.number],
    ).fetchall()
    names = dict(
        connection.execute(
            "select record_number, source_system || ':' || source_record_id from identity.int_identity__source_records "
            "where record_number in (select unnest(?::bigint[]))",
            [list({end for edge in edges for end in edge[:2]})],
        ).fetchall()
    )
    neighbors: dict[int, list[tuple[int, tuple[Any, ...]]]] = {}
    for edge in edges:
        neighbors.setdefault(edge[0], []).append((edge[1], edge))
        neighbors.setdefault(edge[1], []).append((edge[0], edge))
    came_by: dict[int, tuple[int, tuple[Any, ...]] | None] = {one.number: None}
    waiting = deque([one.number])
    while waiting and other.number not in came_by:
        at = waiting.popleft()
        for neighbor, edge in neighbors.get(at, []):
            if neighbor not in came_by:
                came_by[neighbor] = (at, edge)
                waiting.append(neighbor)
    steps = []
    at = other.number
    while (step := came_by.get(at)) is not None:
        before, (_, _, rule, confidence, evidence, known) = step
        steps.append((names[before], rule, confidence, evidence, names[at], known))
        at = before
    return steps[::-1]


def _chart(
    connection: duckdb.DuckDBPyConnection, folders: ShopFolders, one: Record, other: Record, console: Console
) -> Path | None:
    """Print and draw how the linkage model weighs the pair; None where it did not compare it."""
    row = connection.execute(
        "select match_probability, match_weight, explanation, model_version from ml.identity_matches "
        "where left_record_key = least($1, $2) and right_record_key = greatest($1, $2)",
        [one.key, other.key],
    ).fetchone()
    if row is None:
        console.print("the linkage model did not compare the two, or found next to nothing that speaks for one person")
        return None
    from ml.plots import match_weights

    probability, weight, explanation, version = row
    steps = json.loads(explanation)
    table = _table(f"Linkage {version}: {probability:.4f} probable, weight {weight:+.1f}", "what", "found", "weight")
    for step in steps:
        table.add_row(step["comparison"], step["found"], f"{step['weight']:+.2f}")
    console.print(table)
    names = (one.name, other.name)
    file = folders.reports / "identity" / f"{min(one.key, other.key)}~{max(one.key, other.key)}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(match_weights(names, steps, probability), encoding="utf-8")
    console.print(f"chart of the weights: {folders.shown(file)}", highlight=False, soft_wrap=True)
    return file
