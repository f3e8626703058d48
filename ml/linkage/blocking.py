"""Which pairs are compared at all: rules that are sized before they run, and narrowed where they would run away.

A rule is a list of expressions; records that agree in all of them make a block. Blocks beyond a rule's limit are left
out, and other rules have to find their pairs: a block of 10,000 records would make 50 million pairs, nearly all wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ml.linkage.engine import NUMBER, TABLE, cleaned_sql
from ml.linkage.settings import KEY, LinkageSettings

PAIRS = "linkage_pairs"
CHANGED = "linkage_changed"


@dataclass(frozen=True)
class Rule:
    """A blocking rule: `columns` it reads and the SQL expressions that must agree."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class SizedRule:
    """A rule, what it makes, and what became of it.

    Attributes
    ----------
    name, keys
        Of the rule.
    max_block : int
        Records of the largest block that is compared; below 2 the rule is dropped.
    pairs, all_pairs : int
        Pairs that it makes, and those that it would make without limit; pairs of several rules count in each.
    reason : str or None
        Why it was narrowed or dropped.
    """

    name: str
    keys: tuple[str, ...]
    max_block: int
    pairs: int
    all_pairs: int
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> SizedRule:
        return cls(**{**plain, "keys": tuple(plain["keys"])})


def person_rules(settings: LinkageSettings, present: Iterable[str]) -> list[Rule]:
    """Rules of whose columns all are `present`."""
    there = set(present)
    year, day = "left(birth_date, 4)", "right(birth_date, 5)"
    given, last = "left(given_name, 3)", "left(last_name, 3)"
    names = ("given_name", "last_name")
    both = ("least(given_name, last_name)", "greatest(given_name, last_name)")
    rules = [
        Rule("e-mail", ("email",), ("email",)),
        Rule("phone", ("phone",), ("phone",)),
        *(Rule(name, (name,), (name,)) for name in settings.personal_extras),
        # in either order
        Rule("both names", names, both),
        Rule("given name and birth date", ("given_name", "birth_date"), ("given_name", "birth_date")),
        Rule("last name and birth date", ("last_name", "birth_date"), ("last_name", "birth_date")),
        Rule("birth date and postcode", ("birth_date", "postcode"), ("birth_date", "postcode")),
        Rule("last name and street", ("last_name", "street"), ("last_name", "street")),
        Rule("given name and street", ("given_name", "street"), ("given_name", "street")),
        Rule("given name and postcode", ("given_name", "postcode"), ("given_name", "postcode")),
        Rule("last name and postcode", ("last_name", "postcode"), ("last_name", "postcode")),
        Rule("both names and birth year", (*names, "birth_date"), (*both, year)),
        Rule("both names and day of birth", (*names, "birth_date"), (*both, day)),
        Rule("both names and postcode", (*names, "postcode"), (*both, "postcode")),
        Rule("starts of names and birth year", (*names, "birth_date"), (given, last, year)),
        Rule("starts of names and day of birth", (*names, "birth_date"), (given, last, day)),
        Rule("starts of names and postcode", (*names, "postcode"), (given, last, "postcode")),
        Rule("starts of names swapped and birth year", (*names, "birth_date"),
             (f"least({given}, {last})", f"greatest({given}, {last})", year)),
        Rule("street number and birth date", ("street_number", "birth_date"), ("street_number", "birth_date")),
    ]  # fmt: skip
    for extra in settings.extras:
        rules += [
            Rule(f"birth date and {extra}", ("birth_date", extra), ("birth_date", extra)),
            Rule(f"last name and {extra}", ("last_name", extra), ("last_name", extra)),
            Rule(f"given name and {extra}", ("given_name", extra), ("given_name", extra)),
        ]
    return [rule for rule in rules if set(rule.columns) <= there]


def key_sql(keys: Sequence[str]) -> str:
    """One number for what a rule compares; null where a part is null."""
    together = " || chr(31) || ".join(f"({key})" for key in keys)
    # DuckDB hashes null to a number.
    return f"case when {together} is not null then hash({together}) end"


def sized(api: Any, rules: Sequence[Rule], settings: LinkageSettings) -> list[SizedRule]:
    """Each rule with the largest block that its bound of pairs allows.

    Leaves the table `linkage_all_keys` to `block`.
    """
    if not rules:
        return []
    con = api.duckdb_con
    con.execute(f"create or replace table linkage_all_keys as {_keys_sql(rules)}")
    return [_sized(con, number, rule, settings) for number, rule in enumerate(rules)]


def _keys_sql(rules: Iterable[Rule | SizedRule]) -> str:
    return f"select {NUMBER}, {_hashes(dict(enumerate(rules)))} from {TABLE}"


def _hashes(rules: Mapping[int, Rule | SizedRule]) -> str:
    return ", ".join(f"{key_sql(rule.keys)} as k{number}" for number, rule in rules.items())


def _find_large_blocks(con: Any, number: int, rule: SizedRule, table: str) -> None:
    """Make the table `linkage_beyond_<number>`: keys of `table` that more records have than the rule's limit."""
    con.execute(f"""
        create or replace temp table linkage_beyond_{number} as
        select k{number} from {table} where k{number} is not null
        group by k{number} having count(*) > {rule.max_block}
    """)


def _sized(con: Any, number: int, rule: Rule, settings: LinkageSettings) -> SizedRule:
    blocks = con.execute(f"""
        select size::bigint, count(*)::bigint as blocks, (count(*) * size * (size - 1) // 2)::bigint as pairs
        from (select count(*) as size from linkage_all_keys where k{number} is not null group by k{number})
        where size > 1 group by size order by size
    """).fetchall()
    pairs = records = limit = 0
    all_pairs = sum(made for _, _, made in blocks)
    for size, count, made in blocks:
        if size > settings.max_block_records or pairs + made > settings.max_pairs_per_rule:
            break
        limit, pairs, records = size, pairs + made, records + size * count
    sharing = sum(size * count for size, count, _ in blocks)
    if not blocks:
        return SizedRule(rule.name, rule.keys, settings.max_block_records, 0, 0, None)
    if records < settings.min_rule_share * sharing or limit < 2:
        reason = f"dropped: {all_pairs:,} pairs; its small blocks hold {records:,} of {sharing:,} records"
        return SizedRule(rule.name, rule.keys, 0, 0, all_pairs, reason)
    if pairs < all_pairs:
        reason = f"narrowed to blocks of at most {limit:,} records: {pairs:,} of {all_pairs:,} pairs"
        return SizedRule(rule.name, rule.keys, limit, pairs, all_pairs, reason)
    # Nothing had to be cut; later data may have larger blocks, up to the general bound.
    return SizedRule(rule.name, rule.keys, settings.max_block_records, pairs, all_pairs, None)


def near_changed(api: Any, rules: Sequence[SizedRule], settings: LinkageSettings) -> str:
    """The name of a table with the keys of the given records that share a block with one of `linkage_changed`.

    Nothing but these takes part when changed records are compared: cleaning and numbering all would cost more than the
    comparisons. Leaves to `block` which blocks are beyond their limit: that depends on all records.
    """
    con = api.duckdb_con
    active = {number: rule for number, rule in enumerate(rules) if rule.max_block > 1}
    con.execute(f"create or replace table linkage_near as select {KEY} from {CHANGED}")
    if not active:
        return "linkage_near"
    con.execute(
        f"create or replace table linkage_given_keys as select {KEY}, {_hashes(active)} from ({cleaned_sql(settings)})"
    )
    con.execute(
        f"create or replace table linkage_changed_keys as from linkage_given_keys semi join {CHANGED} using ({KEY})"
    )
    for number, rule in active.items():
        con.execute(f"""
            create or replace temp table linkage_sharing as
            select {KEY}, k{number} from linkage_given_keys
            where k{number} in (select k{number} from linkage_changed_keys where k{number} is not null)
        """)
        _find_large_blocks(con, number, rule, "linkage_sharing")
        con.execute(f"""
            insert into linkage_near
            select {KEY} from linkage_sharing anti join linkage_beyond_{number} using (k{number})
        """)
    con.execute("drop table linkage_given_keys")
    return "linkage_near"


def block(
    api: Any,
    rules: Sequence[SizedRule],
    *,
    changed_only: bool = False,
    near_only: bool = False,
    just_sized: bool = False,
) -> tuple[int, dict[str, int]]:
    """Make the table `linkage_pairs` (match_key, join_key_l < join_key_r), each pair once, by the first rule.

    With `changed_only` a pair needs a record of the table `linkage_changed`; `near_only`: the records are those that
    `near_changed` named; `just_sized`: the rules were sized on these very records. Returns the number of pairs, and per
    rule how many blocks of the records to compare were beyond its limit.
    """
    con = api.duckdb_con
    con.execute(f"create or replace table {PAIRS} (match_key varchar, join_key_l integer, join_key_r integer)")
    active = [number for number, rule in enumerate(rules) if rule.max_block > 1]
    if not active:
        return 0, {}
    if not just_sized:
        con.execute(f"create or replace table linkage_all_keys as {_keys_sql(rules)}")
    skipped = _limited(con, {number: rules[number] for number in active}, changed_only, near_only, just_sized)
    for place, number in enumerate(active):
        before = "".join(f" and (l.k{n} = r.k{n}) is not true" for n in active[:place])
        joined = f"from linkage_keys as l join linkage_keys as r using (k{number}) where"
        if changed_only:
            # The changed side first: what did not change is not joined with itself.
            joined = (
                f"from (from linkage_keys where is_changed) as l "
                f"join linkage_keys as r using (k{number}) "
                f"where (l.{NUMBER} < r.{NUMBER} or not r.is_changed) and l.{NUMBER} <> r.{NUMBER} and"
            )
        else:
            joined += f" l.{NUMBER} < r.{NUMBER} and"
        con.execute(f"""
            insert into {PAIRS}
            select '{number}', least(l.{NUMBER}, r.{NUMBER}), greatest(l.{NUMBER}, r.{NUMBER})
            {joined} true{before}
        """)
    con.execute("drop table linkage_keys")
    made = con.execute(f"select count(*) from {PAIRS}").fetchone()[0]
    return int(made), skipped


def _limited(
    con: Any, rules: Mapping[int, SizedRule], changed_only: bool, near_only: bool, just_sized: bool
) -> dict[str, int]:
    """Make the table `linkage_keys`: per record a number per rule, null where its block is beyond the limit."""
    skipped = {}
    joins, columns = [], []
    for number, rule in rules.items():
        if just_sized and rule.reason is None:
            columns.append(f"a.k{number}")  # no block is beyond
            continue
        if not near_only:  # else `near_changed` has counted them among all records
            _find_large_blocks(con, number, rule, "linkage_all_keys")
        beyond = int(con.execute(f"select count(*) from linkage_beyond_{number}").fetchone()[0])
        if beyond:
            skipped[rule.name] = beyond
        columns.append(f"case when b{number}.k{number} is null then a.k{number} end as k{number}" if beyond
                       else f"a.k{number}")  # fmt: skip
        if beyond:
            joins.append(f"left join linkage_beyond_{number} as b{number} on a.k{number} = b{number}.k{number}")
    changed = f"select {NUMBER} from {TABLE} semi join {CHANGED} using ({KEY})"
    is_changed = f"a.{NUMBER} in ({changed})" if changed_only else "false"
    con.execute(f"""
        create or replace table linkage_keys as
        select a.{NUMBER}, {is_changed} as is_changed, {", ".join(columns)}
        from linkage_all_keys as a {" ".join(joins)}
    """)
    con.execute("drop table linkage_all_keys")
    return skipped
