"""A shop's mapping as it stands in `shops/<name>/mapping.yml`: read, checked and explained, before any data is touched.

Only what the file says is judged here; whether the source has such tables and columns is `binding`'s business.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingestion.contract import LandingContract, read_contract
from ingestion.landing_zone import LOADS, LandingError
from shops.names import checked_zone, nearest

MAPPING_FILE = "mapping.yml"

# What identifies a row of a landing table; with it a delivery is compared with what has landed before.
KEYS: Mapping[str, tuple[str, ...]] = {
    "loyalty_members": ("loyalty_id",),
    "products": ("product_id",),
    "orders": ("order_id",),
    "order_lines": ("order_id", "line_number"),
    "campaigns": ("campaign_id",),
    "campaign_recipients": ("campaign_id", "loyalty_id"),
    "coupons": ("coupon_id", "campaign_id", "product_id"),
    "coupon_redemptions": ("loyalty_id", "coupon_id", "campaign_id", "redeemed_on"),
    "exchange_rates": ("currency", "quote_currency", "rate_date"),
    "crm_contacts": ("contact_id", "occurred_at"),
    "web_events": ("event_id",),
    "email_events": ("message_id", "event_type", "occurred_at"),
    "consent_events": ("consent_event_id",),
    "support_tickets": ("ticket_id",),
    "survey_answers": ("survey_id", "response_id", "question_id"),
    "external_attributes": ("provider", "attribute", "source_system", "source_record_id", "occurred_at"),
}
# What the landing zone itself adds.
GIVEN_COLUMNS = frozenset({"load_id"})
# Without these a row says nothing; the other columns may be left out.
_NEEDED_BESIDE_KEYS: Mapping[str, tuple[str, ...]] = {
    "orders": ("occurred_at",),
    "order_lines": ("product_id", "net_amount"),
    "campaigns": ("starts_on", "ends_on"),
    "exchange_rates": ("rate",),
    "web_events": ("event_type", "anonymous_id", "occurred_at"),
    "consent_events": ("source_system", "source_record_id", "purpose", "consent_action", "occurred_at"),
    "support_tickets": ("occurred_at",),
}
# Contacts have versions, and a source that keeps only the newest one need not say when it was written.
_MAY_BE_WITHOUT_TIME = ("crm_contacts", "occurred_at")
# Numbered within its order when the source has no number of its own.
_NUMBERED = "line_number"

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class MappingError(LandingError):
    """A mapping cannot be used; the message names the file, the place in it, the nearest valid name and what to do."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CsvOptions(_Section):
    """How the CSV files are written, where their first line does not tell: names, and one of , ; | or a tab between."""

    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None


class Source(_Section):
    """Where the shop's data lies: a folder of CSV and Parquet files, or a database."""

    folder: str | None = None
    database: str | None = None
    csv: CsvOptions = CsvOptions()

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Source:
        if (self.folder is None) == (self.database is None):
            raise ValueError("give one of both, `folder: <path>` or `database: ${NAME_OF_A_VARIABLE}`")
        if self.database is not None and not _VARIABLE.fullmatch(self.database):
            raise ValueError(
                "a database's address may hold a password, so it never stands in this file; write "
                "`database: ${SHOP_DATABASE_URL}` and set that environment variable"
            )
        return self


class TableMapping(_Section):
    """How one landing table is made from one file (or several alike) or one table of a database."""

    from_: str = Field(alias="from")
    """File name or pattern in the folder, or the name of the database's table."""
    columns: dict[str, str]
    """Landing column to a column of the source, or to a SQL expression of its columns."""
    constants: dict[str, str | int | float | bool] = {}
    """Landing column to a value that is the same in every row."""
    where: str | None = None
    """SQL condition on the source's columns; rows for which it is not true are left out, and counted."""
    keys: list[str] = []
    """Landing columns of which each combination lands once, in its first row; for a source with more rows than that."""
    cursor: str | None = None
    """A column of the source that only grows: later loads read what is above the highest value seen."""
    zone: str | None = None
    """Zone of this source's clock, where it is not the shop's."""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        return value if value is None else checked_zone(value)


class ShopMapping(_Section):
    """Everything that a mapping file says."""

    source: Source
    zone: str
    currency: str = Field(pattern="^[A-Z]{3}$")
    known_after_hours: float = Field(default=0.0, ge=0)
    """How long after an event the source had it; the first, historical import takes it for granted."""
    tables: dict[str, TableMapping]

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        return checked_zone(value)

    @property
    def fingerprint(self) -> str:
        """The same for two mappings that land the same; comments and spaces do not count."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    def cursors(self) -> dict[str, str]:
        """Tables of the source that are read from a cursor on, to the column that it is."""
        return {mapped.from_: mapped.cursor for mapped in self.tables.values() if mapped.cursor}


def read_mapping(file: Path, contract: LandingContract | None = None) -> ShopMapping:
    """The mapping in `file`.

    Raises
    ------
    MappingError
        The file is missing, is no YAML, has an unknown name or a wrong value, or lacks what every shop needs.
    """
    contract = contract or read_contract()
    if not file.is_file():
        raise MappingError(
            f"{file} does not exist. Next: python -m ingestion init <folder or database> --shop {file.parent.name}"
        )
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise MappingError(f"{file} is not valid YAML: {error}. Next: correct that line.") from error
    if not isinstance(content, dict):
        raise MappingError(f"{file} must hold source, zone, currency and tables. Next: python -m ingestion init --help")
    try:
        mapping = ShopMapping.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_explained(dict(problem)) for problem in error.errors())
        raise MappingError(
            f"{file}: {problems}. Next: correct it; docs/how-to/bring-your-own-shop.md shows each key."
        ) from error
    for problem in _against_contract(mapping, contract):
        raise MappingError(f"{file}: {problem}")
    return mapping


def expanded(text: str, file: Path) -> str:
    """`text` with each ${VARIABLE} replaced by its value in the environment."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not os.environ.get(name):
            raise MappingError(
                f"{file}: source: the environment variable {name} is not set. Next: export {name}=… and run again."
            )
        return os.environ[name]

    return _VARIABLE.sub(value, text)


def _explained(problem: Mapping[str, Any]) -> str:
    path = [str(part) for part in problem["loc"]]
    where = ".".join(path)
    if problem["type"] == "extra_forbidden":
        known = _names_at(path[:-1])
        return f"unknown key '{where}'; did you mean '{nearest(path[-1], known)}'? Known here: {', '.join(known)}"
    if problem["type"] == "missing":
        return f"'{where}' is missing"
    if problem["type"] == "string_type" and len(path) > 2 and path[2] == "columns":
        if problem["input"] is None:
            return (
                f"{where} has no value; within {{…}} a comma ends a value, so an expression with one stands in quotes"
            )
        return (
            f"{where}: {problem['input']!r} is no column or expression; a value that never changes goes to constants, "
            "and a column called No, Yes, On or Off stands in quotes"
        )
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"


def _names_at(path: list[str]) -> list[str]:
    model: type[BaseModel] = ShopMapping
    if path[:1] == ["source"]:
        model = CsvOptions if path[1:] else Source
    elif path[:1] == ["tables"]:
        model = TableMapping
    return [field.alias or name for name, field in model.model_fields.items()]


def _against_contract(mapping: ShopMapping, contract: LandingContract) -> Iterable[str]:
    known_tables = [name for name in contract.tables if name != LOADS]
    for table, mapped in mapping.tables.items():
        if table not in known_tables:
            yield (
                f"tables.{table}: there is no such landing table; did you mean '{nearest(table, known_tables)}'? "
                f"Next: take a name of models/landing.yml: {', '.join(known_tables)}."
            )
            return
        known = [name for name in contract.tables[table] if name not in GIVEN_COLUMNS]
        for section, names in (("columns", mapped.columns), ("constants", mapped.constants), ("keys", mapped.keys)):
            for column in names:
                if column not in known:
                    yield (
                        f"tables.{table}.{section}.{column}: the landing table {table} has no such column; did you "
                        f"mean '{nearest(column, known)}'? Next: take one of {', '.join(known)}."
                    )
                    return
        both = sorted(set(mapped.columns) & set(mapped.constants))
        if both:
            yield f"tables.{table}: {both[0]} stands in columns and in constants. Next: leave one of both out."
        given = {*mapped.columns, *mapped.constants, _NUMBERED}
        for column in needed_columns(table):
            if column not in given:
                yield (
                    f"tables.{table}.columns: {column} is missing, and without it no row of {table} can be used. "
                    f"Next: add `{column}: <column of {mapped.from_}>`, or leave the table out."
                )
    for table in sorted(contract.required - {LOADS}):
        if table not in mapping.tables:
            yield (
                f"tables.{table} is missing, and every shop has to have it. Next: map it; when one file holds "
                "orders and lines, both are made `from` it."
            )


def needed_columns(table: str) -> tuple[str, ...]:
    """Landing columns without which a row of `table` says nothing."""
    keys = (key for key in KEYS.get(table, ()) if (table, key) != _MAY_BE_WITHOUT_TIME)
    return tuple(dict.fromkeys((*keys, *_NEEDED_BESIDE_KEYS.get(table, ()))))
