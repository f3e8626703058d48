"""Bot flags against what was planted: precision and recall, each family of bots, and whom among people the flags wrong.

Shops side by side: the demo as it ships; one with another seed and, beside the shipped bots, with families that nobody
looked at while the flags were made; and one with those families alone. Truth is read here and in tests, never by a
model.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.demo_shop import build_models, land_shipped
from benchmarks.held_out import held_out_overlay
from benchmarks.measuring import RESULTS
from orchestration.dbt_in_process import InProcessDbt
from shops import ShopFolders

GOAL = 0.95
MODELS = (
    "bot_user_agents",
    "base_web__events",
    "stg_web__sessions",
    "base_web__visitor_days",
    "base_web__crowd_days",
    "base_web__visitors",
    "stg_web__visitors",
)


@dataclass(frozen=True)
class Figure:
    """One line of the report: of a group of events and of their visitors, how many there are and what share counts.

    `measure` is precision (of what is flagged, the bots' share), recall (of the bots', the flagged share), found (the
    same for one family) or wronged (the flagged share of a kind of people, where lower is better).
    """

    shop: str
    measure: str
    group: str
    events: int
    event_share: float
    visitors: int
    visitor_share: float


def main() -> None:
    """Measure the shops, print them side by side, rewrite the results."""
    measured: dict[str, list[Figure]] = {}
    for name, land in _shops().items():
        with tempfile.TemporaryDirectory() as folder:
            folders = ShopFolders.of("demo", Path(folder))
            land(folders)
            build(InProcessDbt(folders))
            measured[name] = figures(folders, name)
    _print(measured)
    file = RESULTS / "bots.json"
    RESULTS.mkdir(exist_ok=True)
    every = [asdict(figure) for of_shop in measured.values() for figure in of_shop]
    file.write_text(json.dumps(every, indent=2) + "\n", encoding="utf-8")
    print(f"written to {file}")
    missed = [
        f"{figure.shop}: {figure.measure} {figure.event_share:.3f} of events, {figure.visitor_share:.3f} of visitors"
        for of_shop in measured.values()
        for figure in of_shop
        if figure.measure in ("precision", "recall") and min(figure.event_share, figure.visitor_share) < GOAL
    ]
    if missed:
        raise SystemExit(f"below the goal of {GOAL}: " + "; ".join(missed))


def _shops() -> dict[str, Callable[[ShopFolders], object]]:
    """Shops by name, each with what lands it and its truth."""
    return {
        "shipped": land_shipped,
        "held out": lambda folders: held_out_overlay(folders.data_root),
        "held out alone": lambda folders: held_out_overlay(folders.data_root, with_shipped=False),
    }


def build(dbt: InProcessDbt) -> None:
    """Build what the flags rest on, and the flags."""
    build_models(dbt, MODELS)


def figures(folders: ShopFolders, shop: str) -> list[Figure]:
    """What the flags in the warehouse of `folders` are worth, by its truth: in all, by family, by kind of people."""
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        for table in ("bots", "records", "visit_faults", "visitor_clocks"):
            connection.execute(f"create temp view {table} as from read_parquet('{folders.truth / f'{table}.parquet'}')")
        connection.execute(_JUDGED)
        connection.execute(_KINDS_OF_PEOPLE)
        rows = connection.execute(_FIGURES).fetchall()
    return [Figure(shop, *row) for row in rows]


_JUDGED = """
    create temp table judged as
    select
        visitors.anonymous_id, visitors.event_count, visitors.session_count, visitors.is_bot as is_flagged,
        bots.bot_family, bots.is_declared
    from staging.stg_web__visitors as visitors left join bots using (anonymous_id)
"""

# Whom a careless rule would wrong. A visitor may be of several kinds.
_KINDS_OF_PEOPLE = """
    create temp table kinds as
    with people as (select * from judged where bot_family is null),
    days as (
        select anonymous_id, address_key, event_date, event_count
        from staging.base_web__visitor_days semi join people using (anonymous_id)
    ),
    addresses as (
        select address_key, event_date from days where address_key is not null group by all having count(*) >= 4
    ),
    mailed as (
        select anonymous_id from staging.stg_web__sessions
        group by anonymous_id having bool_and(event_count <= 2 and utm_medium is not distinct from 'email')
    )
    select anonymous_id, 'all people' as kind from people
    union
    select anonymous_id, 'four or more at the address' from days semi join addresses using (address_key, event_date)
    union
    select anonymous_id, 'heavy shopper (busiest day in the top 1%)' from days
    where event_count >= (select quantile_cont(event_count, 0.99) from days)
    union
    select anonymous_id, 'a device that others use as well' from people join records on source_record_id = anonymous_id
    where kind = 'shared'
    union
    select anonymous_id, 'one of three devices or more' from people
    join (
        select source_record_id as anonymous_id, count(*) over (partition by person_id) as devices from records
        where source_system = 'web_visitors' and person_id is not null
    ) using (anonymous_id) where devices >= 3
    union
    select anonymous_id, 'came by a mail and left at once' from people semi join mailed using (anonymous_id)
    union
    select anonymous_id, 'offline, delivered hours or days late' from people
    semi join (from visit_faults where late_seconds > 0) using (anonymous_id)
    union
    select anonymous_id, 'a wrong clock' from people
    semi join (from visitor_clocks where skew_seconds <> 0) using (anonymous_id)
    union
    select anonymous_id, 'never logged in' from people
    anti join (from staging.base_web__visitors where is_identified) using (anonymous_id)
"""

_SHARES = """
    coalesce(sum(event_count), 0)::bigint,
    round(coalesce(sum(event_count) filter (where {condition}) / sum(event_count), 0), 4)::double,
    count(*),
    round(coalesce(count(*) filter (where {condition}) / nullif(count(*), 0), 0), 4)::double
"""
_FIGURES = f"""
    select 'precision', 'all that is flagged', {_SHARES.format(condition="bot_family is not null")}
    from judged where is_flagged
    union all
    select 'recall', 'all bots', {_SHARES.format(condition="is_flagged")} from judged where bot_family is not null
    union all
    select 'recall', 'undeclared bots', {_SHARES.format(condition="is_flagged")} from judged where not is_declared
    union all
    (
        select 'found', bot_family, {_SHARES.format(condition="is_flagged")}
        from judged where bot_family is not null group by bot_family order by bot_family
    )
    union all
    (
        select 'wronged', kind, {_SHARES.format(condition="is_flagged")}
        from kinds join judged using (anonymous_id) group by kind order by kind
    )
"""


def _print(measured: dict[str, list[Figure]]) -> None:
    """One line a group, the shops side by side."""
    groups = list(dict.fromkeys((figure.measure, figure.group) for of_shop in measured.values() for figure in of_shop))
    width = 48
    print(" " * width + "".join(f"{shop:^38}" for shop in measured))
    print(" " * width + "".join(f"{'events':>10}{'share':>8}{'visitors':>12}{'share':>8}" for _ in measured))
    for measure, group in groups:
        cells = [_cells(of_shop, measure, group) for of_shop in measured.values()]
        print(f"{measure + ': ' + group:<{width}}" + "".join(cells))


def _cells(of_shop: Sequence[Figure], measure: str, group: str) -> str:
    for figure in of_shop:
        if (figure.measure, figure.group) == (measure, group):
            return f"{figure.events:>10,}{figure.event_share:>8.4f}{figure.visitors:>12,}{figure.visitor_share:>8.4f}"
    return " " * 38


if __name__ == "__main__":
    main()
