"""Which rows go into a propensity model: its labels, the features it learns from, and those that are to be scored.

Two kinds of questions are asked: of a customer at an as-of date, and of a customer and a campaign at its first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import duckdb
import pandas as pd

from ml.catalogue import Feature, read_catalogue
from orchestration.batch_scoring import Query

# Who has features at all: customers with an order before the as-of date.
POPULATION = "feat_customer_rfm"
# What an offer holds is known for those mailed only.
OFFERS = "feat_customer_offer"


@dataclass(frozen=True)
class TrainingRows:
    """What a model is trained and judged on.

    Attributes
    ----------
    hold_out_from : date
        First as-of date of the hold-out; everything before it may be learned from.
    everyone : DataFrame or None
        For offers: each customer at each campaign's start, mailed or not.
    slices : DataFrame or None
        Segments and groups in which the hold-out is judged, too: customer_id, as_of_date and slice.
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    hold_out_from: date
    everyone: pd.DataFrame | None = None
    slices: pd.DataFrame | None = None


@dataclass(frozen=True)
class Unit:
    """Scores that are written together and stay together: a date, or a campaign at its first day."""

    as_of_date: date
    campaign_id: str | None = None


class Inputs(Protocol):
    """The rows of one model."""

    def labels(self, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        """All labels, with customer_id, as_of_date and label_ends_on (the last day that the label has seen)."""

    def training(
        self, connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], labels: pd.DataFrame, hold_out: date
    ) -> TrainingRows:
        """Features beside `labels`, up to the hold-out that begins at `hold_out`."""

    def units(self, connection: duckdb.DuckDBPyConnection, since: date | None) -> list[Unit]:
        """What can be scored: the current date, and earlier ones from `since` on; campaigns likewise."""

    def to_score(self, features: Sequence[Feature], units: Sequence[Unit]) -> Query:
        """Keys and features of all rows of some units."""


@dataclass(frozen=True)
class CustomerInputs:
    """Customers at scheduled as-of dates.

    Attributes
    ----------
    label_table : table of the features stage with customer_id and as_of_date
    ends_on : SQL of the last day that a label has seen
    condition : SQL of the labels that count
    """

    label_table: str
    ends_on: str = "as_of_date + horizon_days::integer - 1"
    condition: str = "true"

    def labels(self, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        return connection.execute(
            f"select labels.*, {self.ends_on} as label_ends_on from features.{self.label_table} as labels "
            f"join features.int_as_of_dates using (as_of_date) where is_scheduled and ({self.condition})"
        ).df()

    def training(
        self, connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], labels: pd.DataFrame, hold_out: date
    ) -> TrainingRows:
        return TrainingRows(
            customer_features(connection, features, "is_scheduled and as_of_date <= ?", hold_out), labels, hold_out
        )

    def units(self, connection: duckdb.DuckDBPyConnection, since: date | None) -> list[Unit]:
        rows = connection.execute(
            "select as_of_date from features.int_as_of_dates "
            "where is_current or (is_scheduled and as_of_date >= ? "
            "and as_of_date <= (select max(as_of_date) from features.int_as_of_dates where is_current)) order by 1",
            [since],
        ).fetchall()
        return [Unit(day) for (day,) in rows]

    def to_score(self, features: Sequence[Feature], units: Sequence[Unit]) -> Query:
        days = [unit.as_of_date for unit in units]
        return Query(_of_customers(features, "list_contains(?::date[], as_of_date)"), [days])


@dataclass(frozen=True)
class OfferInputs:
    """Customers who are mailed a campaign, as of its first day.

    Attributes
    ----------
    label_table : table of the features stage with customer_id, campaign_id, as_of_date and label_ends_on
    is_targeting_shown : whether the same is asked of everybody, mailed or not, to show what targeting alone tells
    """

    label_table: str
    is_targeting_shown: bool = False

    def labels(self, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        return connection.execute(f"from features.{self.label_table}").df()

    def training(
        self, connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], labels: pd.DataFrame, hold_out: date
    ) -> TrainingRows:
        everyone = everyone_at_campaign_starts(connection, features) if self.is_targeting_shown else None
        return TrainingRows(offer_features(connection, features), labels, hold_out, everyone)

    def units(self, connection: duckdb.DuckDBPyConnection, since: date | None) -> list[Unit]:
        rows = connection.execute(
            f"select distinct as_of_date, campaign_id from features.{OFFERS} where as_of_date >= ? order by all",
            [since],
        ).fetchall()
        return [Unit(day, campaign) for day, campaign in rows]

    def to_score(self, features: Sequence[Feature], units: Sequence[Unit]) -> Query:
        campaigns = [unit.campaign_id for unit in units]
        return Query(_of_offers(features, f"list_contains(?::varchar[], {OFFERS}.campaign_id)"), [campaigns])


def described(family: str, names: Sequence[str] | None = None) -> tuple[Feature, ...]:
    """What models of a family learn from as the catalogue says now, and what else is in `names`.

    Raises
    ------
    CatalogueError
        If one of `names` is not declared any more.
    """
    catalogue = read_catalogue()
    own = catalogue.of_model(family)
    known = {feature.name for feature in own}
    return (*own, *catalogue.named([name for name in names or () if name not in known]))


def customer_features(
    connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], dates: str, *values: Any
) -> pd.DataFrame:
    """Features of all customers at the as-of dates that fulfil `dates`."""
    return connection.execute(_of_customers(features, dates), list(values)).df()


def _of_customers(features: Sequence[Feature], dates: str) -> str:
    return (
        f"select customer_id, as_of_date, {listed(features)} from features.{POPULATION} {joins(features)} "
        f"join features.int_as_of_dates using (as_of_date) where {dates}"
    )


def offer_features(connection: duckdb.DuckDBPyConnection, features: Sequence[Feature]) -> pd.DataFrame:
    """Each mailed (customer, campaign) with the offer's and the customer's features at the campaign's start."""
    return connection.execute(_of_offers(features, "true")).df()


def _of_offers(features: Sequence[Feature], condition: str) -> str:
    keys = f"{OFFERS}.customer_id, {OFFERS}.campaign_id, {OFFERS}.as_of_date"
    return f"select {keys}, {listed(features)} from features.{OFFERS} {joins(features, OFFERS)} where {condition}"


def everyone_at_campaign_starts(connection: duckdb.DuckDBPyConnection, features: Sequence[Feature]) -> pd.DataFrame:
    """Each customer at each campaign's start, mailed or not: what the model would see with targeting included."""
    of_customers = [feature for feature in features if feature.table != OFFERS]
    return connection.execute(
        f"select campaigns.campaign_id, campaigns.campaign_type, customer_id, as_of_date, {listed(of_customers)} "
        f"from (select distinct campaign_id, campaign_type, as_of_date from features.{OFFERS}) as campaigns "
        f"join features.{POPULATION} using (as_of_date) {joins(of_customers)}"
    ).df()


def current_as_of(connection: duckdb.DuckDBPyConnection) -> date:
    """The current as-of date of the warehouse."""
    row = connection.execute("select max(as_of_date) from features.int_as_of_dates where is_current").fetchone()
    assert row is not None
    day: date = row[0]
    return day


def joins(features: Sequence[Feature], base: str = POPULATION) -> str:
    """The tables of features beside the one that says who is there; who is not in another has null there."""
    tables = dict.fromkeys(feature.table for feature in features if feature.table != base)
    return " ".join(f"left join features.{table} using (customer_id, as_of_date)" for table in tables)


def listed(features: Sequence[Feature]) -> str:
    return ", ".join(f"{feature.table}.{feature.name}" for feature in features)
