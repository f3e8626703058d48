"""Traffic that nobody ships: bots of our own invention, and people whom a careless rule would take for bots.

All plug in through the overlay's interface for bot families. Thresholds are set without them: they are here to measure
what the flags find when they meet something new, and whom they wrong. Numbers are what such programs are known to do,
not what the detection looks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.overlay import BotRequests, BotSurroundings, Step
from ingestion.overlay.bots import drawn_steps, place_within, running_within

# Seconds; the overlay's period starts at local midnight.
DAY, HOUR = 86_400.0, 3_600.0


@dataclass(frozen=True)
class StockWatcher:
    """A few cookies that each look at the same three products every quarter to three quarters of an hour, for weeks."""

    name: str = "stock watcher"
    is_declared: bool = False
    share: float = 0.02

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        looks = 48 * 14
        watchers = max(1, round(surroundings.events / looks))
        runs = []
        for watcher in range(watchers):
            begin = generator.random() * (surroundings.period_days - 15) * DAY
            at = begin + np.cumsum(generator.uniform(0.25, 0.75, size=looks) * HOUR)
            watched = generator.integers(surroundings.products, size=3)
            runs.append((np.full(len(at), watcher), at, watched[generator.integers(3, size=len(at))]))
        visitor, seconds, product = (np.concatenate(parts) for parts in zip(*runs, strict=True))
        return _requests(
            surroundings, visitor, seconds, np.full(len(visitor), int(Step.PRODUCT)), product,
            agent=visitor % 5, address=visitor * 7 + (seconds // DAY).astype(int) % 7, addresses=7 * watchers, site=0,
        )  # fmt: skip


@dataclass(frozen=True)
class PasswordGuesser:
    """Tries stolen logins on the account page: three to eight tries a cookie, from thirty addresses, some evenings."""

    name: str = "password guesser"
    is_declared: bool = False
    share: float = 0.015

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        tries = generator.integers(3, 9, size=max(1, surroundings.events))
        visitor = np.repeat(np.arange(len(tries)), tries)[: surroundings.events]
        address = generator.integers(30, size=len(tries))[visitor]
        evenings = max(1, surroundings.events // 1500)
        evening = np.sort(generator.choice(surroundings.period_days - 1, size=evenings))[visitor % evenings]
        begin = evening * DAY + 19 * HOUR + 3 * HOUR * generator.random(len(tries))[visitor]
        seconds = begin + 2.0 * place_within(visitor) + generator.exponential(1.0, size=len(visitor))
        step = np.where(place_within(visitor) == 0, int(Step.HOME), int(Step.ACCOUNT))
        return _requests(
            surroundings, visitor, seconds, step, visitor, agent=visitor % 9, address=address, addresses=30, site=1
        )


@dataclass(frozen=True)
class ClickFarm:
    """Clicks on advertisements: one page a cookie, a few cookies an hour from each of forty addresses, for days."""

    name: str = "click farm"
    is_declared: bool = False
    share: float = 0.02

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        events = surroundings.events
        days = max(1, events // 2400)
        begin = generator.random() * (surroundings.period_days - days - 1) * DAY // DAY * DAY
        seconds = begin + 8 * HOUR + generator.integers(days, size=events) * DAY + 14 * HOUR * generator.random(events)
        visitor = np.arange(events)
        step = drawn_steps(generator, events, {Step.OFFERS: 0.8, Step.HOME: 0.2})
        return _requests(
            surroundings, visitor, seconds, step, visitor,
            agent=generator.integers(3, size=events), address=generator.integers(40, size=events), addresses=40, site=2,
        )  # fmt: skip


@dataclass(frozen=True)
class PatientReader:
    """Reads the catalogue with pauses like a person's, seven hours a day, one cookie and one address a day."""

    name: str = "patient reader"
    is_declared: bool = False
    share: float = 0.02

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        per_day = 700
        days = max(1, round(surroundings.events / per_day))
        visitor = np.repeat(np.arange(days), per_day)
        pauses = 25.0 * np.exp(0.9 * generator.standard_normal(len(visitor)))
        day = generator.choice(surroundings.period_days - 1, size=days)
        seconds = day[visitor] * DAY + 9 * HOUR + running_within(visitor, pauses)
        step = drawn_steps(
            generator, len(visitor), {Step.PRODUCT: 0.5, Step.CATEGORY: 0.25, Step.REVIEW: 0.15, Step.SEARCH: 0.1}
        )
        product = generator.integers(surroundings.products, size=len(visitor))
        return _requests(
            surroundings, visitor, seconds, step, product, agent=visitor % 4, address=visitor, addresses=days, site=3
        )


@dataclass(frozen=True)
class WorkerPool:
    """Twenty workers behind one address, each with its cookie and in no hurry, share the catalogue between them."""

    name: str = "worker pool"
    is_declared: bool = False
    share: float = 0.02
    workers: int = 20

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        each = 60
        shifts = max(1, round(surroundings.events / (each * self.workers)))
        visitor = np.repeat(np.arange(shifts * self.workers), each)
        shift = visitor // self.workers
        begins = generator.random(shifts) * (surroundings.period_days - 1) * DAY
        pauses = generator.exponential(60.0, size=len(visitor))
        product = np.arange(len(visitor)) % surroundings.products
        return _requests(
            surroundings, visitor, begins[shift] + running_within(visitor, pauses),
            np.full(len(visitor), int(Step.PRODUCT)), product,
            agent=shift % 6, address=shift % 3, addresses=3, site=4,
        )  # fmt: skip


@dataclass(frozen=True)
class UptimeMonitor:
    """Walks home, search and cart every ten minutes without rest, with a new cookie each time."""

    name: str = "uptime monitor"
    is_declared: bool = False
    share: float = 0.02

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        walks = max(1, surroundings.events // 3)
        visitor = np.repeat(np.arange(walks), 3)
        begin = generator.random() * max(1.0, surroundings.period_days * DAY - 600.0 * walks)
        seconds = begin + 600.0 * visitor + 1.5 * place_within(visitor) + 0.4 * generator.random(len(visitor))
        step = np.array([Step.HOME, Step.SEARCH, Step.CART])[place_within(visitor)]
        return _requests(
            surroundings,
            visitor,
            seconds,
            step,
            visitor * 0 + 11,
            agent=visitor * 0,
            address=visitor % 2,
            addresses=2,
            site=5,
        )


@dataclass(frozen=True)
class SearchProbe:
    """Puts a word list through the search box, forty words a cookie, each cookie from an address of its own."""

    name: str = "search probe"
    is_declared: bool = False
    share: float = 0.02
    words: int = 40

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        probes = max(1, surroundings.events // self.words)
        visitor = np.repeat(np.arange(probes), self.words)
        begins = generator.random(probes) * (surroundings.period_days - 1) * DAY
        pauses = 12.0 * np.exp(0.8 * generator.standard_normal(len(visitor)))
        return _requests(
            surroundings, visitor, begins[visitor] + running_within(visitor, pauses),
            np.full(len(visitor), int(Step.SEARCH)), generator.integers(surroundings.products, size=len(visitor)),
            agent=visitor % 8, address=visitor, addresses=probes, site=6,
        )  # fmt: skip


@dataclass(frozen=True)
class CardTester:
    """Add, cart, checkout, again and again, with stolen cards that are refused; ten rounds a cookie."""

    name: str = "card tester"
    is_declared: bool = False
    share: float = 0.015

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        pattern = np.array([Step.ADD, Step.CART, Step.CHECKOUT])
        each = 30
        runs = max(1, surroundings.events // each)
        visitor = np.repeat(np.arange(runs), each)
        begins = generator.random(runs) * (surroundings.period_days - 1) * DAY
        pauses = generator.uniform(4.0, 14.0, size=len(visitor))
        return _requests(
            surroundings, visitor, begins[visitor] + running_within(visitor, pauses),
            pattern[place_within(visitor) % 3], visitor * 0 + 77,
            agent=visitor % 6, address=visitor % 50, addresses=50, site=7,
        )  # fmt: skip


@dataclass(frozen=True)
class Previewer:
    """Opens six pages within two seconds to make thumbnails, each time with a new cookie from another address."""

    name: str = "previewer"
    is_declared: bool = False
    share: float = 0.015

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        visits = max(1, surroundings.events // 6)
        visitor = np.repeat(np.arange(visits), 6)
        begins = generator.random(visits) * (surroundings.period_days - 1) * DAY
        seconds = begins[visitor] + running_within(visitor, generator.exponential(0.35, size=len(visitor)))
        step = drawn_steps(generator, len(visitor), {Step.PRODUCT: 0.6, Step.CATEGORY: 0.2, Step.HOME: 0.2})
        product = generator.integers(surroundings.products, size=len(visitor))
        return _requests(
            surroundings,
            visitor,
            seconds,
            step,
            product,
            agent=visitor % 12,
            address=visitor,
            addresses=visits,
            site=13,
        )


@dataclass(frozen=True)
class PriceDiary:
    """Writes down the prices of eight products at five fixed times a day, on one cookie, for two months."""

    name: str = "price diary"
    is_declared: bool = False
    share: float = 0.015

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        rounds = 5 * 60
        diaries = max(1, round(surroundings.events / (8 * rounds)))
        place = np.tile(np.arange(8 * rounds), diaries)
        visitor = np.repeat(np.arange(diaries), 8 * rounds)
        first = generator.integers(surroundings.period_days - 61, size=diaries)
        begin = first[visitor] * DAY + (place // 40) * DAY + (7.0 + 3 * (place // 8 % 5)) * HOUR
        jitter = (180 * generator.random(diaries * rounds))[visitor * rounds + place // 8]
        seconds = (
            begin
            + jitter
            + 15.0 * (place % 8) * (0.8 + 0.4 * generator.random(diaries * rounds))[visitor * rounds + place // 8]
        )
        product = visitor * 1000 + place % 8
        step = np.full(len(visitor), int(Step.PRODUCT))
        return _requests(
            surroundings, visitor, seconds, step, product, agent=visitor, address=visitor, addresses=diaries, site=14
        )


IMAGINARY_BOTS = (
    StockWatcher(), PasswordGuesser(), ClickFarm(), PatientReader(), WorkerPool(), UptimeMonitor(), SearchProbe(),
    CardTester(), Previewer(), PriceDiary(),
)  # fmt: skip


@dataclass(frozen=True)
class Office:
    """Eighty colleagues behind one address with the same managed browser, in their lunch breaks, over some weeks."""

    name: str = "people: office"
    is_declared: bool = False
    share: float = 0.02

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        visits = max(1, surroundings.events // 6)
        days = max(5, visits // 25)
        first = generator.integers(max(1, surroundings.period_days - days))
        begins = (
            (first + generator.integers(days, size=visits)) * DAY + 11.5 * HOUR + 2 * HOUR * generator.random(visits)
        )
        visit, step, seconds = _human_visits(generator, begins)
        visitor = generator.integers(80, size=visits)[visit]
        return _requests(
            surroundings, visitor, seconds, step, generator.integers(surroundings.products, size=len(step)),
            agent=visitor * 0, address=visitor * 0, addresses=1, site=8,
        )  # fmt: skip


@dataclass(frozen=True)
class MobileNetwork:
    """Scores of strangers a day behind one address of a mobile network, on five kinds of phones, each of them once."""

    name: str = "people: mobile network"
    is_declared: bool = False
    share: float = 0.03

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        visits = max(1, surroundings.events // 6)
        days = max(1, visits // 150)
        first = generator.integers(max(1, surroundings.period_days - days))
        # By day and in the evening, hardly at night.
        clock = np.clip(15 * HOUR + 4.5 * HOUR * generator.standard_normal(visits), 0, DAY - 1)
        begins = (first + generator.integers(days, size=visits)) * DAY + clock
        visit, step, seconds = _human_visits(generator, begins)
        return _requests(
            surroundings, visit, seconds, step, generator.integers(surroundings.products, size=len(step)),
            agent=generator.integers(5, size=visits)[visit], address=visit * 0, addresses=1, site=9,
        )  # fmt: skip


@dataclass(frozen=True)
class MailBouncers:
    """Come from a campaign mail in the hours after it went out, look at one page or two and leave; some from work."""

    name: str = "people: leave at once"
    is_declared: bool = False
    share: float = 0.01

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        visits = max(1, int(surroundings.events / 1.3))
        mailing = generator.integers(surroundings.period_days - 2, size=max(1, visits // 250))
        begins = (
            mailing[generator.integers(len(mailing), size=visits)] * DAY
            + 9 * HOUR
            + generator.exponential(3 * HOUR, visits)
        )
        pages = 1 + (generator.random(visits) < 0.3).astype(int)
        visit = np.repeat(np.arange(visits), pages)
        seconds = begins[visit] + place_within(visit) * (20.0 * np.exp(0.95 * generator.standard_normal(len(visit))))
        step = np.where(place_within(visit) == 0, int(Step.OFFERS), int(Step.PRODUCT))
        at_work = generator.random(visits) < 0.3
        address = np.where(at_work, generator.integers(6, size=visits), 6 + np.arange(visits))
        return _requests(
            surroundings, visit, seconds, step, generator.integers(surroundings.products, size=len(step)),
            agent=generator.integers(8, size=visits)[visit], address=address[visit], addresses=6 + visits, site=10,
        )  # fmt: skip


@dataclass(frozen=True)
class HeavyShoppers:
    """Plan a wedding: 90 to 220 events a day over three evenings, back and forth between the same shelves."""

    name: str = "people: heavy shopper"
    is_declared: bool = False
    share: float = 0.01

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        shoppers = max(1, surroundings.events // 450)
        visitors, steps, times, products = [], [], [], []
        for shopper in range(shoppers):
            first = generator.integers(surroundings.period_days - 4)
            liked = generator.integers(surroundings.products, size=120)
            for evening in range(3):
                _, step, at = _human_visits(
                    generator, np.array([(first + evening) * DAY + 18 * HOUR]), int(generator.integers(90, 220))
                )
                visitors.append(np.full(len(step), shopper))
                steps.append(step)
                times.append(at)
                products.append(liked[generator.integers(len(liked), size=len(step))])
        visitor = np.concatenate(visitors)
        return _requests(
            surroundings, visitor, np.concatenate(times), np.concatenate(steps), np.concatenate(products),
            agent=visitor % 6, address=visitor, addresses=shoppers, site=11,
        )  # fmt: skip


@dataclass(frozen=True)
class NightShift:
    """Ten guests who look around in the small hours and again in the afternoon, for months, and never log in."""

    name: str = "people: night shift"
    is_declared: bool = False
    share: float = 0.01

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        visits = max(1, surroundings.events // 6)
        clock = np.where(generator.random(visits) < 0.6, 1.0, 15.0) * HOUR + 5 * HOUR * generator.random(visits)
        begins = generator.integers(surroundings.period_days - 1, size=visits) * DAY + clock
        visit, step, seconds = _human_visits(generator, begins)
        visitor = generator.integers(10, size=visits)[visit]
        return _requests(
            surroundings, visitor, seconds, step, generator.integers(surroundings.products, size=len(step)),
            agent=visitor % 6, address=visitor, addresses=10, site=12,
        )  # fmt: skip


MISTAKABLE_PEOPLE = (Office(), MobileNetwork(), MailBouncers(), HeavyShoppers(), NightShift())

_WALK = {
    Step.HOME: 0.14, Step.CATEGORY: 0.22, Step.SEARCH: 0.14, Step.PRODUCT: 0.36, Step.REVIEW: 0.07, Step.ACCOUNT: 0.02,
    Step.ADD: 0.03, Step.CART: 0.02,
}  # fmt: skip


def _human_visits(
    generator: np.random.Generator, begins: np.ndarray, pages: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Visits of people, one for each of `begins`: (visit, step, seconds); pauses spread as widely as people's do."""
    counts = generator.geometric(0.16, size=len(begins)) if pages is None else np.full(len(begins), pages)
    visit = np.repeat(np.arange(len(begins)), counts)
    pauses = 15.0 * np.exp(0.4 * generator.standard_normal(len(begins)))[visit]
    pauses = np.minimum(1200.0, pauses * np.exp(1.0 * generator.standard_normal(len(visit))))
    return visit, drawn_steps(generator, len(visit), _WALK), begins[visit] + running_within(visit, pauses)


def _requests(
    surroundings: BotSurroundings,
    visitor: np.ndarray,
    seconds: np.ndarray,
    step: np.ndarray,
    product: np.ndarray,
    *,
    agent: np.ndarray,
    address: np.ndarray,
    addresses: int,
    site: int,
    apart: bool = True,
) -> BotRequests:
    """Requests with browsers of one month, from addresses of the family's own `site`, in networks `apart` or in one."""
    agents: Sequence[str] = surroundings.agents_of_month(5)
    return BotRequests(
        visitor=visitor,
        seconds=seconds,
        step=step,
        product=product,
        agent=agent % len(agents),
        address=address,
        agents=agents,
        addresses=[_address(site, number * (256 if apart else 1)) for number in range(addresses)],
    )


def _address(site: int, number: int) -> str:
    """Address `number` of a site of 2**20 private addresses; none that the overlay's people or bots use."""
    number += site << 20
    return f"10.{number // 65_536 % 256}.{number // 256 % 256}.{number % 256}"
