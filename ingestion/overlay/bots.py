"""Bots: what each family asks the web shop for, planted beside the people.

A family is an object with a name and one method that returns its requests as arrays. To plant another one, pass your
own to `generate(..., bot_families=[*BOT_FAMILIES, mine])`; nothing here need change.

Families that do not declare themselves use the browsers that people use. What gives them away is what they do: how
much, how fast, how evenly, how deep, whether they ever rest, and that they never buy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from ingestion.overlay.agents import DECLARED_AGENTS
from ingestion.overlay.draws import Draws
from ingestion.overlay.scripts import Step

DAY = 86_400.0
BOT_STEPS = (Step.HOME, Step.CATEGORY, Step.SEARCH, Step.PRODUCT, Step.REVIEW, Step.TUTORIAL, Step.ADD, Step.REMOVE,
             Step.CART, Step.CHECKOUT, Step.ACCOUNT, Step.OFFERS, Step.PROMOTION)  # fmt: skip
MAX_VISITORS = 1 << 24
FIRST_COOKIE = 3 << 30


@dataclass(frozen=True)
class BotSurroundings:
    """What a bot finds.

    Attributes
    ----------
    period_days
        Length of the period; requests outside of [0, period_days * 86,400) seconds are dropped.
    products
        Size of the catalogue: products are numbered from 0.
    people, events
        How many people the shop has, and how many events the family is asked for.
    browser_agents
        User agents of ordinary browsers; `agents_of_month(m)` are those of a month.
    """

    period_days: int
    products: int
    people: int
    events: int
    browser_agents: Sequence[str]
    months: int

    def agents_of_month(self, month: int) -> list[str]:
        """User agents that people have in month 0 to 11."""
        return list(self.browser_agents[month :: self.months])

    def browser(self, kind: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        """Places in `browser_agents` of browsers of a kind (0, 1, 2 …), at so many seconds of the period."""
        month = np.minimum(11, seconds // (30.5 * DAY)).astype(int)
        place: np.ndarray = kind * self.months + month
        return place


@dataclass(frozen=True)
class BotRequests:
    """Requests of one family: arrays of the same length, in any order, and two lists that they point into.

    Attributes
    ----------
    visitor
        Which cookie of the family (int, from 0, below 2**24): one anonymous_id each.
    seconds
        When, since the period's start (float).
    step
        What, as `scripts.Step` values (int): HOME, CATEGORY, SEARCH, PRODUCT, REVIEW, TUTORIAL, ADD, REMOVE, CART,
        CHECKOUT, ACCOUNT, OFFERS or PROMOTION. Not LOGIN and not ORDER.
    product
        Number in the catalogue; also says which category or which words, where the step is CATEGORY or SEARCH.
    agent, address
        Numbers in `agents` and `addresses` (IPv4 texts).
    """

    visitor: np.ndarray
    seconds: np.ndarray
    step: np.ndarray
    product: np.ndarray
    agent: np.ndarray
    address: np.ndarray
    agents: Sequence[str]
    addresses: Sequence[str]


@runtime_checkable
class BotFamily(Protocol):
    """One kind of bot.

    Attributes
    ----------
    name
        What truth calls it (`bots.bot_family`).
    is_declared
        Whether its user agents say that it is a bot.
    share
        Its part of all web events.
    """

    @property
    def name(self) -> str: ...
    @property
    def is_declared(self) -> bool: ...
    @property
    def share(self) -> float: ...

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        """About `surroundings.events` requests; all chance comes from `generator`."""
        ...


@dataclass(frozen=True)
class DeclaredCrawlers:
    """Search engines and tools that say who they are: steady, around the clock, deep into the catalogue."""

    name: str = "declared crawler"
    is_declared: bool = True
    share: float = 0.05

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        agents = list(DECLARED_AGENTS)
        events = surroundings.events
        agent = generator.choice(len(agents), size=events, p=_shares(list(DECLARED_AGENTS.values())))
        # Half of them keep a cookie for a week, the others come without and get a new one each hour.
        seconds = generator.random(events) * surroundings.period_days * DAY
        keeps = agent % 2 == 0
        span = np.where(keeps, 7 * DAY, 3600.0)
        visitor = _numbered(agent * 100_000 + np.floor(seconds / span).astype(np.int64))
        return BotRequests(
            visitor=visitor,
            seconds=seconds,
            step=drawn_steps(
                generator, events, {Step.PRODUCT: 0.7, Step.CATEGORY: 0.2, Step.REVIEW: 0.05, Step.HOME: 0.05}
            ),
            product=generator.integers(surroundings.products, size=events),
            agent=agent,
            address=agent * 4 + generator.integers(4, size=events),
            agents=agents,
            addresses=[f"192.0.2.{10 + number}" for number in range(4 * len(agents))],
        )


@dataclass(frozen=True)
class PriceScraper:
    """Reads prices off product pages, one after the other in the order of the catalogue, for hours on one cookie."""

    name: str = "price scraper"
    is_declared: bool = False
    share: float = 0.035
    visits_events: int = 400
    median_pause: float = 6.0

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        events = surroundings.events
        runs = max(1, round(events / self.visits_events))
        run = np.sort(generator.integers(runs, size=events))
        begins = generator.random(runs) * (surroundings.period_days - 1) * DAY
        pauses = self.median_pause * np.exp(0.25 * generator.standard_normal(events))
        place = place_within(run)
        # One in twelve pages is a list, from which it takes the next products.
        step = np.where(place % 12 == 0, int(Step.CATEGORY), int(Step.PRODUCT))
        first_product = generator.integers(surroundings.products, size=runs)
        return BotRequests(
            visitor=run,
            seconds=begins[run] + running_within(run, pauses),
            step=step,
            product=(first_product[run] + place) % surroundings.products,
            agent=surroundings.browser(run % 3, begins[run]),
            address=run % 9,
            agents=surroundings.browser_agents,
            addresses=[f"198.51.100.{20 + number}" for number in range(9)],
        )


@dataclass(frozen=True)
class RotatingCrawler:
    """Throws its cookie away after a few pages; behind it is always one of a handful of addresses."""

    name: str = "rotating crawler"
    is_declared: bool = False
    share: float = 0.03

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        events = surroundings.events
        pages = generator.integers(1, 6, size=max(1, events))
        visitors = int(np.searchsorted(np.cumsum(pages), events) + 1)
        visitor = np.repeat(np.arange(visitors), pages[:visitors])[:events]
        # It works in nights of a few hours, a new cookie every few seconds.
        nights = max(1, events // 1500)
        night = visitor * nights // max(1, visitors)
        begins = np.sort(generator.choice(surroundings.period_days - 1, size=nights, replace=nights > 364)) * DAY
        pauses = 4.0 * np.exp(0.5 * generator.standard_normal(events))
        return BotRequests(
            visitor=visitor,
            seconds=begins[night] + 6 * 3600.0 + running_within(night, pauses),
            step=drawn_steps(generator, events, {Step.PRODUCT: 0.62, Step.CATEGORY: 0.3, Step.REVIEW: 0.08}),
            product=generator.integers(surroundings.products, size=events),
            agent=surroundings.browser(visitor % 5, begins[night]),
            address=night % 4,
            agents=surroundings.browser_agents,
            addresses=[f"198.51.100.{120 + number}" for number in range(4)],
        )


@dataclass(frozen=True)
class CartHoarder:
    """Puts product after product into its cart to see what is in stock, and never goes to the checkout."""

    name: str = "cart hoarder"
    is_declared: bool = False
    share: float = 0.015
    visits_events: int = 150

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        events = surroundings.events
        runs = max(1, round(events / self.visits_events))
        run = np.sort(generator.integers(runs, size=events))
        place = place_within(run)
        begins = generator.random(runs) * (surroundings.period_days - 1) * DAY
        # Look, add, look, add, then the cart, then away with it.
        pattern = np.array([Step.PRODUCT, Step.ADD, Step.PRODUCT, Step.ADD, Step.CART, Step.REMOVE, Step.REMOVE])
        pauses = 3.5 * np.exp(0.35 * generator.standard_normal(events))
        return BotRequests(
            visitor=run,
            seconds=begins[run] + running_within(run, pauses),
            step=pattern[place % len(pattern)],
            product=(run * 7919 + place // 2) % surroundings.products,
            agent=surroundings.browser(3 + run % 2, begins[run]),
            address=run % 6,
            agents=surroundings.browser_agents,
            addresses=[f"198.51.100.{200 + number}" for number in range(6)],
        )


BOT_FAMILIES: tuple[BotFamily, ...] = (DeclaredCrawlers(), PriceScraper(), RotatingCrawler(), CartHoarder())


@dataclass(frozen=True)
class BotTraffic:
    """Requests of all families in the order of time: arrays of the same length, and the texts that they point into.

    `number` is unique over all families; `milliseconds` since 1970; `cookie` is the number that the anonymous_id is
    made from; `goes_on` says that a browser came from another page of the shop.
    """

    number: np.ndarray
    family: np.ndarray
    cookie: np.ndarray
    milliseconds: np.ndarray
    step: np.ndarray
    product: np.ndarray
    agent: np.ndarray
    address: np.ndarray
    goes_on: np.ndarray
    agents: pa.Array
    addresses: pa.Array

    def between(self, start: int | None, end: int | None) -> BotTraffic:
        """Requests with milliseconds in [start, end); None is open."""
        first = 0 if start is None else int(np.searchsorted(self.milliseconds, start))
        last = len(self.milliseconds) if end is None else int(np.searchsorted(self.milliseconds, end))
        arrays = {
            field.name: getattr(self, field.name)[first:last]
            for field in fields(self)
            if field.name not in ("agents", "addresses")
        }
        return replace(self, **arrays)


def bot_traffic(
    families: Sequence[BotFamily], draws: Draws, started: datetime, surroundings: BotSurroundings
) -> BotTraffic:
    """Ask every family for its share of `surroundings.events`.

    Raises
    ------
    ValueError
        A family gave requests that are not as `BotRequests` says; the message names it.
    """
    agents = list(surroundings.browser_agents)
    addresses: list[str] = []
    first_ms = int(started.replace(tzinfo=UTC).timestamp() * 1000)
    parts: list[dict[str, np.ndarray]] = []
    for number, family in enumerate(families):
        asked = replace(surroundings, events=round(family.share * surroundings.events))
        requests = family.requests(draws.generator(f"bots/{family.name}"), asked)
        _check(family, requests)
        inside = (requests.seconds >= 0) & (requests.seconds < surroundings.period_days * DAY)
        parts.append(
            {
                "family": np.full(int(inside.sum()), number, dtype=np.int16),
                "cookie": FIRST_COOKIE + (number << 24) + np.asarray(requests.visitor)[inside].astype(np.int64),
                "milliseconds": first_ms + (np.asarray(requests.seconds)[inside] * 1000).astype(np.int64),
                "step": np.asarray(requests.step)[inside].astype(np.int8),
                "product": (np.asarray(requests.product)[inside] % surroundings.products).astype(np.int32),
                "agent": (np.asarray(requests.agent)[inside] + len(agents)).astype(np.int32),
                "address": (np.asarray(requests.address)[inside] + len(addresses)).astype(np.int32),
            }
        )
        agents += requests.agents
        addresses += requests.addresses
    empty = {name: np.zeros(0, dtype=np.int64) for name in
             ("family", "cookie", "milliseconds", "step", "product", "agent", "address")}  # fmt: skip
    together = {name: np.concatenate([part[name] for part in parts]) if parts else empty[name] for name in empty}
    order = np.argsort(together["milliseconds"], kind="stable")
    together = {name: values[order] for name, values in together.items()}
    goes_on = np.ones(len(order), dtype=bool)
    goes_on[np.unique(together["cookie"], return_index=True)[1]] = False
    declared = [number for number, family in enumerate(families) if family.is_declared]
    return BotTraffic(
        number=np.arange(len(order), dtype=np.int64),
        **together,
        goes_on=goes_on & ~np.isin(together["family"], declared),
        agents=pa.array(agents),
        addresses=pa.array(addresses, pa.string()),
    )


def _check(family: BotFamily, requests: BotRequests) -> None:
    names = ("visitor", "seconds", "step", "product", "agent", "address")
    lengths = {name: len(getattr(requests, name)) for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the bot family '{family.name}' gave arrays of different lengths: {lengths}")
    if not lengths["visitor"]:
        return
    if strangers := sorted(set(np.unique(requests.step).tolist()) - {int(step) for step in BOT_STEPS}):
        raise ValueError(
            f"the bot family '{family.name}' asks for steps {strangers}; allowed are "
            f"{', '.join(f'{step.name} ({int(step)})' for step in BOT_STEPS)}"
        )
    for name, limit in (
        ("visitor", MAX_VISITORS),
        ("agent", len(requests.agents)),
        ("address", len(requests.addresses)),
    ):
        low, high = int(np.min(getattr(requests, name))), int(np.max(getattr(requests, name)))
        if low < 0 or high >= limit:
            raise ValueError(
                f"the bot family '{family.name}' has {name} from {low} to {high}; allowed: 0 to {limit - 1}"
            )


def _shares(weights: Sequence[float]) -> np.ndarray:
    array = np.array(weights)
    shares: np.ndarray = array / array.sum()
    return shares


def drawn_steps(generator: np.random.Generator, events: int, weights: dict[Step, float]) -> np.ndarray:
    """So many steps, each as likely as its weight says."""
    steps: np.ndarray = generator.choice(
        [int(step) for step in weights], size=events, p=_shares(list(weights.values()))
    )
    return steps


def _numbered(keys: np.ndarray) -> np.ndarray:
    """Keys as numbers from 0 without holes."""
    numbers: np.ndarray = np.unique(keys, return_inverse=True)[1]
    return numbers


def place_within(group: np.ndarray) -> np.ndarray:
    """0, 1, 2 … within each run of equal values."""
    if not len(group):
        return group
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    lengths = np.diff(np.r_[starts, len(group)])
    place: np.ndarray = np.arange(len(group)) - np.repeat(starts, lengths)
    return place


def running_within(group: np.ndarray, pauses: np.ndarray) -> np.ndarray:
    """Running sum of `pauses` before each entry, begun anew in each run of equal values."""
    if not len(group):
        return pauses
    before = np.cumsum(pauses) - pauses
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    lengths = np.diff(np.r_[starts, len(group)])
    running: np.ndarray = before - np.repeat(before[starts], lengths)
    return running
