"""Linkage writes pairs, compares again only what changed, and keeps its model with the ledger."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.ledger import newest_linkage_model, record_linkage_model
from orchestration.linkage_asset import MIN_RECORDS, link
from shops import PROJECT_ROOT, ShopFolders, load_settings

SETTINGS = load_settings("demo").identity.linkage
PAIRS = "select left_record_key, right_record_key, round(match_probability, 9) from ml.identity_matches order by all"


def _warehouse(folders: ShopFolders, people: int) -> None:
    """A warehouse with that many people, of whom most have two contacts, one of them with a slip."""
    drawn = random.Random(5)
    first = ["ann", "bob", "carla", "dave", "eva", "frank", "gina", "hugo", "iris", "jack", "karen", "liam"]
    last = ["miller", "smith", "jones", "garcia", "brown", "lopez", "wilson", "moore", "taylor", "lee", "hall", "king"]
    rows: list[tuple[Any, ...]] = []
    for person in range(people):
        given, family = drawn.choice(first), drawn.choice(last) + str(person % 37)
        born = f"{drawn.randint(1940, 2003)}-{drawn.randint(1, 12):02}-{drawn.randint(1, 28):02}"
        phone, street = f"+1541{drawn.randint(1000000, 9999999)}", f"{drawn.randint(1, 999)} oak st"
        for copy in range(1 + (person % 4 > 0)):
            email = f"{given}{person}@x.com" if copy == 0 or person % 3 else None
            name = given if copy == 0 or person % 5 else given[0]
            rows.append((f"k{person:04}{copy}", name, family, born, email, phone if copy == 0 else None, street,
                         street.split()[0], f"{10000 + person % 90}", "salem"))  # fmt: skip
    tables = next(
        source["tables"]
        for source in yaml.safe_load((PROJECT_ROOT / "models/scores/_python_tables.yml").read_text())["sources"]
        if source["name"] == "ml"
    )
    folders.data.mkdir(parents=True)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute("create schema identity; create schema ml")
        for table in tables:
            columns = ", ".join(f"{column['name']} {column['data_type']}" for column in table["columns"])
            connection.execute(f"create table ml.{table['name']} ({columns})")
        connection.execute(
            "create table identity.int_identity__persons (source_record_key varchar, given_name varchar, "
            "last_name varchar, birth_date date, email_key varchar, phone varchar, street varchar, "
            "street_number varchar, postcode varchar, city varchar)"
        )
        if rows:
            placeholders = ", ".join("?" * 10)
            connection.executemany(f"insert into identity.int_identity__persons values ({placeholders})", rows)


def _ask(folders: ShopFolders, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folders.warehouse)) as connection:
        return connection.execute(query).fetchall()


def test_only_what_changed_is_compared_and_the_pairs_are_those_of_a_full_run(tmp_path: Path) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    _warehouse(folders, people=250)
    first = link(folders.warehouse, folders, SETTINGS, "run-1")
    assert first is not None
    assert first.is_new
    assert first.changed == first.records
    assert first.tied > 100
    once = _ask(folders, PAIRS)
    assert link(folders.warehouse, folders, SETTINGS, "run-2") is not None
    assert _ask(folders, PAIRS) == once

    _ask(folders, "update identity.int_identity__persons set given_name = 'zoe' where source_record_key = 'k00011'")
    _ask(folders, "delete from identity.int_identity__persons where source_record_key = 'k00021'")
    second = link(folders.warehouse, folders, SETTINGS, "run-3")
    assert second is not None
    assert (second.is_new, second.changed) == (False, 1)
    increment = _ask(folders, PAIRS)
    assert increment != once
    assert not [pair for pair in increment if "k00021" in pair[:2]]
    _ask(folders, "delete from ml.linkage_records")
    full = link(folders.warehouse, folders, SETTINGS, "run-4")
    assert full is not None
    assert full.changed == full.records
    assert _ask(folders, PAIRS) == increment

    # The warehouse is lost; the model is not.
    record_linkage_model(folders, folders.warehouse)
    record_linkage_model(folders, folders.warehouse)
    assert len(list((folders.state / "linkage_models").iterdir())) == 1
    kept = newest_linkage_model(folders)
    assert kept is not None
    assert kept["model_version"] == first.model_version
    for table in ("linkage_models", "linkage_records", "identity_matches"):
        _ask(folders, f"delete from ml.{table}")
    again = link(folders.warehouse, folders, SETTINGS, "run-5")
    assert again is not None
    assert (again.is_new, again.model_version) == (False, first.model_version)
    assert _ask(folders, PAIRS) == increment


@pytest.mark.parametrize("people", [0, MIN_RECORDS // 4])
def test_too_few_records_teach_nothing(tmp_path: Path, people: int) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    _warehouse(folders, people=people)
    _ask(folders, "insert into ml.identity_matches (left_record_key, right_record_key) values ('a', 'b')")
    assert link(folders.warehouse, folders, SETTINGS, "run-1") is None
    assert _ask(folders, PAIRS) == []
