"""Web events as a stream: visits played step by step, and the bots' requests, in the order in which they arrive.

Made in NumPy and written with pyarrow, a chunk of visits at a time, because nearly all columns are dictionaries: an
event is a dozen small integers until it is written. Nothing grows with the number of events; two files are made at
once where there are two cores. Each chunk depends on its visits alone, so the rows are the same however many threads
make them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingestion.overlay.bots import FIRST_COOKIE, BotTraffic
from ingestion.overlay.columns import (
    VISIT_CAPACITY,
    Array,
    Vocabulary,
    cart_numbers,
    cents,
    coded,
    cookie_texts,
    digits,
    dotted,
    instants,
    integers,
    joined_digits,
    used,
    visit_numbers,
)
from ingestion.overlay.people import user_numbers
from ingestion.overlay.plan import SITE, OverlayPlan
from ingestion.overlay.playing import Events, Player
from ingestion.overlay.scripts import STEP_KINDS, Step
from ingestion.overlay.web import KNOWN, LOGS_IN, RESENT_EVENTS_SHARE

# Visits of people are numbered from 0, requests of bots from here, before the numbers become ids.
FIRST_REQUEST = 50_000_000
FIRST_BOT_CART = 1_000_000_000
RESENT_BOT_SHARE = 0.01
VISITS_PER_CHUNK = 10_240
VISITS_PER_FILE = 400_000  # about 3 M events
SMALL_OVERLAY = 100_000  # visits and requests below this are one file
ORDER_BITS = 24  # events of a chunk are fewer; a year of milliseconds takes 35 more
# A visit lasts at most so long after it arrives (seconds), repeated deliveries included.
MAX_VISIT_SECONDS = 2 * 86_400

_KINDS = len(Step)
# Which pages a step is on: a fixed one, one a product, or one a kind of products.
_FIXED = {
    Step.HOME: f"{SITE}/", Step.CART: f"{SITE}/cart", Step.REMOVE: f"{SITE}/cart", Step.CHECKOUT: f"{SITE}/checkout",
    Step.ORDER: f"{SITE}/checkout/thank-you", Step.ACCOUNT: f"{SITE}/account", Step.LOGIN: f"{SITE}/account",
    Step.OFFERS: f"{SITE}/offers", Step.PROMOTION: f"{SITE}/",
}  # fmt: skip
_OF_PRODUCT = {
    (Step.PRODUCT, Step.ADD): f"'{SITE}/p/' || product_id",
    (Step.REVIEW,): f"'{SITE}/p/' || product_id || '/reviews'",
}
_OF_KIND = {
    Step.CATEGORY: "category_url",
    Step.SEARCH: f"'{SITE}/search?q=' || replace(search_words, ' ', '+')",
    Step.TUTORIAL: f"'{SITE}/recipes/' || replace(search_words, ' ', '-')",
}


def _flags(*steps: Step) -> Array:
    flags = np.zeros(_KINDS, dtype=bool)
    flags[[int(step) for step in steps]] = True
    return flags


_HAS_PRODUCT = _flags(Step.PRODUCT, Step.REVIEW, Step.ADD, Step.REMOVE)
_HAS_PRICE = _flags(Step.PRODUCT, Step.ADD, Step.REMOVE)
_HAS_QUANTITY = _flags(Step.ADD, Step.REMOVE)
_HAS_CART = _flags(Step.ADD, Step.REMOVE, Step.CART, Step.CHECKOUT, Step.ORDER)


class WebEvents:
    """The web events of an overlay, whose visits stand in `web_sessions` on `connection`.

    Parameters
    ----------
    known_from, known_before
        Only what the server received in [known_from, known_before).
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: OverlayPlan,
        bots: BotTraffic,
        known_from: datetime | None = None,
        known_before: datetime | None = None,
    ) -> None:
        self._draws = plan.draws
        self._from, self._before = _milliseconds(known_from), _milliseconds(known_before)
        self._player = Player(connection, plan.draws)
        self._read_lookups(connection)
        self._visits = self._read_visits(connection)
        # What was asked for before the span may be known in it.
        early = None if self._from is None else self._from - 1000 * MAX_VISIT_SECONDS
        self._bots = bots.between(early, self._before)
        if self._visits.num_rows >= FIRST_REQUEST or len(bots.number) >= VISIT_CAPACITY - FIRST_REQUEST:
            raise ValueError(
                f"{self._visits.num_rows:,} visits and {len(bots.number):,} requests of bots are more than there are "
                "ids for. Next: ask for fewer events."
            )
        self._agents, self._bot_addresses = Vocabulary.of(bots.agents), Vocabulary.of(bots.addresses)

    def tables(self, schema: pa.Schema, load_id: str = "") -> Iterator[pa.Table]:
        """The events in the columns and types of `schema`, a chunk at a time, each in the order of known_at."""
        for first, last in self._chunks(0, self._visits.num_rows):
            yield self._chunk_table(first, last, schema, load_id)

    def write(self, folder: Path, load_id: str, schema: pa.Schema) -> int:
        """Write `<load_id>.parquet`, or `<load_id>-<number>.parquet` for a large overlay; returns the rows."""
        visits = self._visits.num_rows
        size = visits + len(self._bots.milliseconds)
        # By size alone, so that the files are the same whatever the machine.
        files = 1 if size < SMALL_OVERLAY or not visits else max(2, round(size / VISITS_PER_FILE))
        bounds = [VISITS_PER_CHUNK * round(number * visits / files / VISITS_PER_CHUNK) for number in range(files)]
        spans = list(zip(bounds, [*bounds[1:], visits], strict=True))
        names = [load_id if files == 1 else f"{load_id}-{number + 1:03d}" for number in range(files)]

        def write_file(number: int) -> int:
            file = folder / f"{names[number]}.parquet"
            unfinished = file.with_suffix(".parquet.unfinished")
            rows = 0
            with pq.ParquetWriter(
                unfinished, _file_schema(schema), compression="zstd", store_schema=False, store_decimal_as_integer=True,
                use_dictionary=[name for name in schema.names if name not in _PLAIN],
                dictionary_pagesize_limit=1 << 26,
                # Readers skip by time; the bounds of the other columns would take a quarter of the writing.
                write_statistics=["sent_at", "occurred_at", "known_at"],
            ) as writer:  # fmt: skip
                for first, last in self._chunks(*spans[number]):
                    table = self._chunk_table(first, last, schema, load_id)
                    rows += table.num_rows
                    if table.num_rows:
                        writer.write_table(table, row_group_size=table.num_rows)
            unfinished.replace(file)
            return rows

        with ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1))) as pool:
            return sum(pool.map(write_file, range(files)))

    # -- what chunks are made of

    def _read_lookups(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._products = Vocabulary.of(_column(connection, "select product_id from base_products order by product_no"))
        self._words = Vocabulary.of(_column(connection, "select search_words from base_kinds order by kind_no"))
        self._emails = _column(connection, "select account_email from people order by person_no")
        self._pages, self._page_first, self._page_of = _open_pages(connection)

    def _read_visits(self, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        arrival = "start_at + to_seconds(late_seconds)"
        bounds = []
        if self._from is not None:
            bounds.append(f"epoch_ms({arrival}) >= {self._from - 1000 * MAX_VISIT_SECONDS}")
        if self._before is not None:
            bounds.append(f"epoch_ms({arrival}) < {self._before}")
        return connection.execute(f"""
            select
                rowid as session_no, cookie_no, script_no, order_no, order_id, line_count, first_path_step, pace,
                idle_seconds, epoch_ms(start_at) as start_ms, late_seconds, skew_seconds, is_resent, state,
                coalesce(user_person_no, -1) as user_person_no, login_position, login_seconds, agent_no, address_no,
                region, referrer_url, tags, tag_position, cast(1024 * discount_share as smallint) as discount_share,
                main_first, main_discounted, main_other, other_first, other_discounted, other_other
            from web_sessions
            where {" and ".join(bounds) or "true"}
            order by rowid
        """).to_arrow_table()

    def _chunks(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Spans of visits; a shop without visits has one span, for its bots."""
        if self._visits.num_rows == 0 and first == 0:
            yield 0, 0
        for start in range(first, last, VISITS_PER_CHUNK):
            yield start, min(last, start + VISITS_PER_CHUNK)

    # -- one chunk

    def _chunk_table(self, first: int, last: int, schema: pa.Schema, load_id: str) -> pa.Table:
        visits = self._visits.slice(first, last - first)
        arrays = {
            name: visits[name].to_numpy()
            for name in visits.column_names
            if name not in ("order_id", "region", "referrer_url", "tags")
        }
        requests = self._bots_of(first, last)
        events = self._player.play(arrays, requests)
        return self._landing_table(visits, arrays, requests, events, schema, load_id)

    def _bots_of(self, first: int, last: int) -> BotTraffic:
        """Requests that arrive while the visits `first` to `last` do; those before the first and after the last too."""
        arrivals = self._visits["start_ms"], self._visits["late_seconds"]

        def arrival(row: int) -> int:
            return int(arrivals[0][row].as_py()) + 1000 * int(arrivals[1][row].as_py())

        return self._bots.between(
            arrival(first) if first > 0 else None, arrival(last) if last < self._visits.num_rows else None
        )

    # -- from integers to columns

    def _landing_table(
        self,
        visits: pa.Table,
        arrays: dict[str, Array],
        requests: BotTraffic,
        events: Events,
        schema: pa.Schema,
        load_id: str,
    ) -> pa.Table:
        people, bots = len(visits), len(requests.milliseconds)

        def with_bots(values: Array, of_bots: Array | int) -> Array:
            return np.concatenate([values, np.broadcast_to(np.asarray(of_bots, dtype=values.dtype), bots)])

        # -- times; the second delivery of a repeated event is one more row
        visit_id = visit_numbers(with_bots(arrays["session_no"], FIRST_REQUEST + requests.number))
        bits = self._draws.bits_of("delivery", visit_id[events.visit] * 10_000 + events.position)
        share = np.where(arrays["is_resent"], round(RESENT_EVENTS_SHARE * 65_536), 0)
        share = with_bots(share.astype(np.int64), round(RESENT_BOT_SHARE * 65_536))
        again = np.flatnonzero(_part(bits, 0, 16, 65_536) < share[events.visit])
        start = with_bots(arrays["start_ms"], requests.milliseconds)
        happened = start[events.visit] + (events.seconds * 1000).astype(np.int64)
        sent = happened + 20 + _part(bits, 16, 10, 900)
        flushed = with_bots(
            np.where(
                arrays["late_seconds"] > 0, arrays["start_ms"] + 1000 * arrays["late_seconds"].astype(np.int64), 0
            ),
            0,
        )
        # Without a connection the device keeps its events, and sends them together when it has one again.
        sent = np.maximum(sent, flushed[events.visit] + _part(bits, 26, 8, 200))
        known = sent + 30 + _part(bits, 34, 9, 400)
        # A device that got no answer sends again, with the time of its second try; or a queue on the way hands the
        # same message on twice.
        tries_again = _part(bits[again], 43, 1, 2) == 0
        sent_again = sent[again] + np.where(tries_again, 2_000 + _part(bits[again], 44, 20, 600_000), 0)
        known_again = (
            known[again]
            + (sent_again - sent[again])
            + np.where(tries_again, 0, 500 + _part(bits[again], 44, 20, 20_000))
        )
        known = np.concatenate([known, known_again])
        order = _order_of(known)
        if self._from is not None:
            order = order[known[order] >= self._from]
        if self._before is not None:
            order = order[known[order] < self._before]
        row = np.concatenate([np.arange(len(happened)), again])[order]
        visit, happened = events.visit[row], happened[row]
        sent, known = np.concatenate([sent, sent_again])[order], known[order]
        skew = with_bots(1000 * arrays["skew_seconds"].astype(np.int64), 0)[visit]

        # -- columns
        kind = events.kind[row]
        position = events.position[row]
        priceless = ~_HAS_PRICE[kind]
        is_person = visit < people
        # Bots that pass for people use a browser, which says which page of the shop it comes from.
        goes_on = np.where(is_person, position > 0, with_bots(np.zeros(people, dtype=bool), requests.goes_on)[visit])
        at = {name: visits[name].combine_chunks() for name in ("order_id", "region", "referrer_url", "tags")}
        is_tagged = position == with_bots(arrays["tag_position"], -1)[visit]
        columns = {
            "event_id": joined_digits(visit_id, visit, position),
            "event_type": _EVENT_TYPES.column(kind),
            "event_name": _EVENT_NAMES.column(kind),
            "anonymous_id": _by_visit(with_bots(arrays["cookie_no"], requests.cookie), visit, cookie_texts),
            "user_id": self._users(arrays, visit, position, bots),
            "email": self._login_emails(arrays, kind, visit),
            "page_url": self._page_urls(events, row, kind, visit, is_tagged, at["tags"]),
            "referrer_url": _referrers(at["referrer_url"], position, visit, is_tagged, goes_on),
            "content_type": _CONTENT_TYPES.column(kind),
            "product_id": self._products.column(events.product[row], ~_HAS_PRODUCT[kind]),
            "list_price": cents(events.list_cents[row], schema.field("list_price").type, priceless),
            "shown_price": cents(events.shown_cents[row], schema.field("shown_price").type, priceless),
            "currency": coded(np.zeros(len(row), dtype=np.int32), _DOLLARS, priceless),
            "quantity": integers(events.quantity[row], ~_HAS_QUANTITY[kind]),
            "cart_id": _by_visit(
                with_bots(arrays["session_no"], FIRST_BOT_CART + requests.cookie - FIRST_COOKIE),
                visit,
                lambda numbers: digits(cart_numbers(numbers)),
                ~_HAS_CART[kind],
            ),
            "order_id": _of_visit(at["order_id"], visit, kind == int(Step.ORDER)),
            "search_query": self._words.column(events.kind_no[row], kind != int(Step.SEARCH)),
            "user_agent": self._agents.column(with_bots(arrays["agent_no"], requests.agent)[visit]),
            "ip_address": self._addresses(arrays, requests, visit),
            "region": self._regions(at["region"], requests, visit),
            "sent_at": instants(sent + skew),
            "occurred_at": instants(happened + skew),
            "known_at": instants(known),
            "load_id": coded(np.zeros(len(row), dtype=np.int32), pa.array([load_id])),
        }
        return pa.table({name: columns.get(name, pa.nulls(len(row), schema.field(name).type)) for name in schema.names})

    def _users(self, arrays: dict[str, Array], visit: Array, position: Array, bots: int) -> pa.Array:
        state = np.concatenate([arrays["state"], np.zeros(bots, dtype=arrays["state"].dtype)])
        login = np.concatenate([arrays["login_position"], np.zeros(bots, dtype=arrays["login_position"].dtype)])
        person = np.concatenate([arrays["user_person_no"], np.full(bots, -1, dtype=arrays["user_person_no"].dtype)])
        is_known = (state[visit] == KNOWN) | ((state[visit] == LOGS_IN) & (position >= login[visit]))
        return _by_visit(person, visit, _user_texts, ~is_known)

    def _login_emails(self, arrays: dict[str, Array], kind: Array, visit: Array) -> pa.Array:
        logins = np.flatnonzero(kind == int(Step.LOGIN))
        emails = self._emails.take(pa.array(arrays["user_person_no"][visit[logins]])).dictionary_encode()
        codes = np.zeros(len(kind), dtype=np.int32)
        codes[logins] = emails.indices.to_numpy()
        return coded(codes, emails.dictionary, kind != int(Step.LOGIN))

    def _page_urls(
        self, events: Events, row: Array, kind: Array, visit: Array, is_tagged: Array, tags: pa.Array
    ) -> pa.Array:
        of = self._page_of[kind]
        page = self._page_first[kind] + np.where(
            of == 1, events.product[row], np.where(of == 2, events.kind_no[row], 0)
        )
        plain = self._pages.column(page)
        tagged = np.flatnonzero(is_tagged)
        if not len(tagged):
            return plain
        # Campaign tags stand on a few addresses only, which are put behind the others.
        separator = pa.array(np.where(kind[tagged] == int(Step.SEARCH), "&", "?"))
        with_tags = pc.binary_join_element_wise(
            self._pages.texts.take(pa.array(self._pages.code[page[tagged]])),
            separator,
            tags.take(pa.array(visit[tagged])),
            "",
        ).dictionary_encode()
        codes = plain.indices.to_numpy().copy()
        codes[tagged] = len(plain.dictionary) + with_tags.indices.to_numpy()
        return coded(codes, pa.concat_arrays([plain.dictionary, with_tags.dictionary]))

    def _regions(self, regions: pa.Array, requests: BotTraffic, visit: Array) -> pa.Array:
        """Where the address was located; bots sit in data centers."""
        of_bots = _BOT_REGIONS.take(pa.array(requests.address % len(_BOT_REGIONS)))
        together = pa.concat_arrays([regions, of_bots])
        return _of_visit(together, visit, np.ones(len(visit), dtype=bool))

    def _addresses(self, arrays: dict[str, Array], requests: BotTraffic, visit: Array) -> pa.Array:
        people = _by_visit(
            np.concatenate([arrays["address_no"], np.zeros(len(requests.milliseconds), dtype=np.int64)]), visit, dotted
        )
        codes = people.indices.to_numpy().copy()
        bots = visit >= len(arrays["address_no"])
        address = requests.address[visit[bots] - len(arrays["address_no"])]
        codes[bots] = len(people.dictionary) + self._bot_addresses.code[address]
        return used(codes, pa.concat_arrays([people.dictionary, self._bot_addresses.texts]))


_EVENT_TYPES = Vocabulary.of(pa.array([STEP_KINDS[Step(step)].event_type for step in range(_KINDS)]))
_EVENT_NAMES = Vocabulary.of(pa.array([STEP_KINDS[Step(step)].event_name for step in range(_KINDS)]))
_CONTENT_TYPES = Vocabulary.of(pa.array([STEP_KINDS[Step(step)].content_type for step in range(_KINDS)]))
_BOT_REGIONS = pa.array(["VA", "OR", "OH", None, "CA"])
_DOLLARS = pa.array(["USD"])
_PLAIN = ("event_id", "list_price", "shown_price", "quantity", "sent_at", "occurred_at", "known_at")


def _file_schema(schema: pa.Schema) -> pa.Schema:
    """The types in which chunks are handed to the writer; in the file, a dictionary of strings is a string column."""
    coded_text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            field if field.name in _PLAIN or field.type != pa.string() else pa.field(field.name, coded_text)
            for field in schema
        ]
    )


def _open_pages(connection: duckdb.DuckDBPyConnection) -> tuple[Vocabulary, Array, Array]:
    """All pages; per step the number of its first one, and whether it is always that (0) or one a product (1) or a
    kind of products (2).
    """
    pages: list[pa.Array] = []
    first, of = np.zeros(_KINDS, dtype=np.int64), np.zeros(_KINDS, dtype=np.int8)
    for step, url in _FIXED.items():
        first[int(step)] = sum(map(len, pages))
        pages.append(pa.array([url]))
    for steps, url in _OF_PRODUCT.items():
        first[[int(step) for step in steps]], of[[int(step) for step in steps]] = sum(map(len, pages)), 1
        pages.append(_column(connection, f"select {url} from base_products order by product_no"))
    for step, url in _OF_KIND.items():
        first[int(step)], of[int(step)] = sum(map(len, pages)), 2
        pages.append(_column(connection, f"select {url} from base_kinds order by kind_no"))
    return Vocabulary.of(pa.concat_arrays(pages)), first, of


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Array:
    """The one column of a query, in one piece."""
    return connection.execute(query).to_arrow_table().column(0).combine_chunks().cast(pa.string())


def _milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.replace(tzinfo=UTC).timestamp() * 1000)


def _order_of(instants: Array) -> Array:
    """Places in the order of `instants` (milliseconds); of equal ones the earlier place first.

    Numbers that hold instant and place are sorted several times as fast as places are by their instants.
    """
    if not len(instants):
        return np.zeros(0, dtype=np.int64)
    keys = ((instants - instants.min()) << ORDER_BITS) | np.arange(len(instants))
    keys.sort()
    order: Array = keys & ((1 << ORDER_BITS) - 1)
    return order


def _part(bits: Array, shift: int, width: int, below: int) -> Array:
    """An integer from 0 to `below` - 1 out of `width` random bits."""
    part: Array = ((bits >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)
    return (part * below) >> width


def _user_texts(persons: Array) -> pa.Array:
    """user_id of each person number; nobody (-1) gets one that nobody has."""
    return pc.binary_join_element_wise("u", pa.array(user_numbers(persons)).cast(pa.string()), "")


def _by_visit(values: Array, visit: Array, texts: Callable[[Array], pa.Array], absent: Array | None = None) -> pa.Array:
    """A text that all events of a visit share, made once a value."""
    unique, codes = np.unique(values, return_inverse=True)
    return coded(codes[visit], texts(unique), absent)


def _of_visit(texts: pa.Array, visit: Array, present: Array) -> pa.Array:
    """A column of the visits where `present`; rows behind the last visit are bots' and have none."""
    encoded = texts.dictionary_encode()
    if not len(encoded.dictionary):
        return coded(np.zeros(len(visit), dtype=np.int32), pa.array([""]), np.ones(len(visit), dtype=bool))
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    of_event = np.where(visit < len(codes), codes[np.minimum(visit, len(codes) - 1)], -1)
    return coded(of_event, encoded.dictionary, ~present | (of_event < 0))


def _referrers(texts: pa.Array, position: Array, visit: Array, is_tagged: Array, goes_on: Array) -> pa.Array:
    """The visit's own referrer on its first page, then the shop itself; none where a link in an e-mail was opened."""
    outside = _of_visit(texts, visit, position == 0)
    own = len(outside.dictionary)
    codes = outside.indices.fill_null(-1).to_numpy(zero_copy_only=False).copy()
    codes[goes_on & ~is_tagged] = own
    return coded(codes, pa.concat_arrays([outside.dictionary, pa.array([f"{SITE}/"])]), codes < 0)
