"""Visits played: each becomes its steps, as arrays of small integers, with the products that are looked at.

A script says what happens and when; the visit says how fast, in which departments and at which prices. Order visits
have no script: their steps are the lines of the real order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import duckdb
import numpy as np

from ingestion.overlay.bots import BotTraffic
from ingestion.overlay.columns import Array
from ingestion.overlay.draws import Draws
from ingestion.overlay.scripts import Step
from ingestion.overlay.web import LOGS_IN, OTHER_DEPARTMENT_SHARE

# What an order visit has besides its lines, with the place in the visit: lines take places 4 to 98.
ORDER_STEPS = ((0, Step.HOME), (100, Step.CART), (102, Step.CHECKOUT), (104, Step.ORDER))


@dataclass
class Events:
    """Events of one chunk: arrays of the same length. `visit` is a row of the chunk's visits."""

    visit: Array
    position: Array
    kind: Array
    seconds: Array
    product: Array
    kind_no: Array
    list_cents: Array
    shown_cents: Array
    quantity: Array

    @classmethod
    def plain(cls, visit: Array, position: Array, kind: Array, seconds: Array) -> Events:
        """Events without a product."""
        nothing = np.zeros(len(visit), dtype=np.int32)
        return cls(visit, position, kind, seconds, nothing, nothing, nothing, nothing, nothing.astype(np.int8))

    @classmethod
    def together(cls, parts: list[Events]) -> Events:
        """All events of the parts, part after part."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class Player:
    """Plays the visits of an overlay.

    Parameters
    ----------
    connection
        Where `scripts`, `script_steps`, `paths`, `order_visit_lines` and `base_shelf` stand.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, draws: Draws) -> None:
        def arrays(query: str) -> dict[str, Array]:
            return {name: np.asarray(values) for name, values in connection.execute(query).fetchnumpy().items()}

        self._draws = draws
        scripts = arrays("select script_no, steps from scripts order by script_no")
        self._script_steps = scripts["steps"].astype(np.int64)
        self._script_first = np.cumsum(self._script_steps) - self._script_steps
        self._steps = arrays(
            "select cast(position as smallint) as position, kind, cast(slot as smallint) as slot, seconds "
            "from script_steps order by script_no, position"
        )
        self._paths = arrays("select seconds from paths order by path_step")["seconds"]
        self._lines = arrays(
            "select order_no, product_no, kind_no, list_cents, shown_cents, quantity, is_viewed "
            "from order_visit_lines order by order_no, place"
        )
        self._shelf = arrays("select product_no, kind_no, list_cents, shown_cents from base_shelf order by shelf_no")

    def play(self, visits: Mapping[str, Array], requests: BotTraffic) -> Events:
        """All events of `visits` (columns of `web_sessions`, arrays of the same length), and behind them the requests.

        A request is a visit of its own, in rows after those of people.
        """
        people = len(visits["session_no"])
        return Events.together([
            self._script_events(visits), self._order_line_events(visits), self._order_events(visits),
            self._logins(visits), self._bot_events(requests, people),
        ])  # fmt: skip

    def _script_events(self, visits: Mapping[str, Array]) -> Events:
        rows = np.flatnonzero(visits["script_no"] >= 0)
        script = visits["script_no"][rows]
        lengths = self._script_steps[script]
        visit = np.repeat(rows, lengths)
        step = np.repeat(self._script_first[script], lengths) + _places(lengths)
        kind = self._steps["kind"][step]
        # One draw a look, cut into parts: which department, a reduced price or not, which of its price points.
        slot = visits["session_no"][visit] * 64 + self._steps["slot"][step]
        bits = self._draws.bits_of("look", slot)
        slices = np.stack(
            [
                np.stack([visits[f"{name}_first"], visits[f"{name}_discounted"], visits[f"{name}_other"]], axis=1)
                for name in ("main", "other")
            ],
            axis=1,
        )
        chosen = slices[visit, ((bits & np.uint64(255)) < round(256 * OTHER_DEPARTMENT_SHARE)).astype(np.int8)]
        reduced_rows, other_rows = chosen[:, 1], chosen[:, 2]
        wants_reduced = ((bits >> np.uint64(8)) & np.uint64(1023)).astype(np.int16) < visits["discount_share"][visit]
        is_reduced = (reduced_rows > 0) & (wants_reduced | (other_rows == 0))
        place = ((bits >> np.uint64(20)) & np.uint64((1 << 30) - 1)).astype(np.int64)
        shelf = (
            chosen[:, 0]
            + np.where(is_reduced, 0, reduced_rows)
            + ((place * np.where(is_reduced, reduced_rows, other_rows)) >> 30)
        )
        return Events(
            visit, self._steps["position"][step], kind, self._steps["seconds"][step] * visits["pace"][visit],
            self._shelf["product_no"][shelf], self._shelf["kind_no"][shelf], self._shelf["list_cents"][shelf],
            self._shelf["shown_cents"][shelf], 1 + (((bits >> np.uint64(50)) & np.uint64(7)) == 0).astype(np.int8),
        )  # fmt: skip

    def _order_line_events(self, visits: Mapping[str, Array]) -> Events:
        """For each line of an order: a look at its product, mostly, and putting it into the cart."""
        rows = np.flatnonzero(visits["order_no"] >= 0)
        lines = self._lines
        first = np.searchsorted(lines["order_no"], visits["order_no"][rows])
        lengths = visits["line_count"][rows].astype(np.int64)
        visit, place = np.repeat(rows, lengths), _places(lengths)
        line = np.repeat(first, lengths) + place
        parts = []
        for part, step in ((0, Step.PRODUCT), (1, Step.ADD)):
            there = lines["is_viewed"][line] if part == 0 else np.ones(len(line), dtype=bool)
            of_visit, of_place, of_line = visit[there], place[there], line[there]
            path = visits["first_path_step"][of_visit] + 2 * of_place + 1 + part
            parts.append(
                Events(
                    of_visit,
                    (4 * (of_place + 1) + 2 * part).astype(np.int16),
                    np.full(len(of_visit), int(step), dtype=np.int8),
                    self._paths[path] * visits["pace"][of_visit],
                    lines["product_no"][of_line],
                    lines["kind_no"][of_line],
                    lines["list_cents"][of_line],
                    lines["shown_cents"][of_line],
                    lines["quantity"][of_line],
                )
            )
        return Events.together(parts)

    def _order_events(self, visits: Mapping[str, Array]) -> Events:
        """What an order visit has besides its lines: home, cart, checkout, order completed."""
        rows = np.flatnonzero(visits["order_no"] >= 0)
        parts = []
        for after, (position, step) in enumerate(ORDER_STEPS):
            if after == 0:
                seconds = np.zeros(len(rows), dtype=np.float32)
            else:
                path = visits["first_path_step"][rows] + 2 * visits["line_count"][rows] + after
                seconds = visits["idle_seconds"][rows] + self._paths[path] * visits["pace"][rows]
            parts.append(
                Events.plain(
                    rows,
                    np.full(len(rows), position, dtype=np.int16),
                    np.full(len(rows), int(step), dtype=np.int8),
                    seconds,
                )
            )
        return Events.together(parts)

    def _logins(self, visits: Mapping[str, Array]) -> Events:
        rows = np.flatnonzero(visits["state"] == LOGS_IN)
        return Events.plain(
            rows, visits["login_position"][rows].astype(np.int16), np.full(len(rows), int(Step.LOGIN), dtype=np.int8),
            visits["login_seconds"][rows],
        )  # fmt: skip

    def _bot_events(self, requests: BotTraffic, visits: int) -> Events:
        """A bot's request is a visit of its own, in rows after the people's."""
        count = len(requests.milliseconds)
        # The catalogue stands first on the shelf.
        shelf = requests.product
        return Events(
            np.arange(visits, visits + count), np.zeros(count, dtype=np.int16), requests.step.astype(np.int8),
            np.zeros(count, dtype=np.float32), self._shelf["product_no"][shelf], self._shelf["kind_no"][shelf],
            self._shelf["list_cents"][shelf], self._shelf["shown_cents"][shelf], np.ones(count, dtype=np.int8),
        )  # fmt: skip


def _places(lengths: Array) -> Array:
    """0, 1, 2 … within each of the groups of `lengths` rows."""
    places: Array = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return places
