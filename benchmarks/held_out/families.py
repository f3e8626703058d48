"""Bot families kept for testing. Truth calls them by number, so that no report and no log tells what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingestion.overlay import BotFamily, BotRequests, BotSurroundings, Step

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MONTH = 30.5 * DAY
# No visitor asks less than this: one page alone would give nobody a reason to tell a bot from a person.
FEWEST_REQUESTS = 10


@dataclass(frozen=True)
class CredentialStuffing:
    """Tries bought lists of logins on the account page.

    Modelled on the account checkers (Sentry MBA, later OpenBullet) that loyalty schemes of grocers suffered from 2016
    on: stolen pairs of e-mail and password are tried for points and coupons. An attack is a wave of a few hours. Its
    threads come through residential proxies (ordinary home lines, a few threads behind each), carry an ordinary
    browser's user agent, and throw the cookie away after a few dozen attempts, before a lockout. Some waves are
    throttled to the pace of a human being.

    An analyst knows it by what it wants: the account page again and again, hardly a product, no cart, never an order,
    and never a login that the shop hears of.
    """

    name: str = "held-out 1"
    is_declared: bool = False
    share: float = 0.02
    threads_of_wave: int = 30
    threads_of_address: float = 2.5

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        most = max(0, surroundings.events) // FEWEST_REQUESTS + 1
        attempts = np.exp(np.log(20) + 0.5 * generator.standard_normal(most))
        lengths = _until(np.clip(attempts, FEWEST_REQUESTS, 90).astype(np.int64), surroundings.events)
        threads = len(lengths)
        visitor, place = _spread(lengths)

        waves = max(2, round(threads / self.threads_of_wave))
        wave = generator.integers(waves, size=threads)
        wave_begins = generator.random(waves) * (surroundings.period_days - 1) * DAY
        begins = wave_begins[wave] + generator.random(threads) * 2.5 * HOUR
        # One pace a wave: from as fast as the site answers to slower than people type.
        pace = _log_uniform(generator, 3.0, 25.0, waves)[wave]
        pauses = pace[visitor] * np.exp(0.3 * generator.standard_normal(len(visitor)))

        # Now and then it fetches the form anew from the home page, or looks what a hit is worth.
        drawn = generator.random(len(visitor))
        step = np.where(drawn < 0.92, int(Step.ACCOUNT), np.where(drawn < 0.97, int(Step.HOME), int(Step.OFFERS)))
        step[(place == 0) & (drawn < 0.5)] = int(Step.HOME)

        proxies = max(2, round(threads / self.threads_of_address))
        browsers = len(surroundings.browser_agents) // surroundings.months
        # A wave has one configuration, and so one browser, a few months old.
        browser = generator.integers(browsers, size=waves)
        month = np.clip(wave_begins // MONTH - generator.integers(9, size=waves), 0, 11)
        return BotRequests(
            visitor=visitor,
            seconds=begins[visitor] + _running(pauses, lengths),
            step=step,
            product=generator.integers(max(1, surroundings.products), size=len(visitor)),
            agent=(browser * surroundings.months + month.astype(np.int64))[wave][visitor],
            address=generator.integers(proxies, size=threads)[visitor],
            agents=surroundings.browser_agents,
            addresses=_home_lines(generator, proxies),
        )


@dataclass(frozen=True)
class AvailabilityWatcher:
    """Opens the same one to three pages every half hour or so, day and night, to see whether they have changed.

    Modelled on self-run page monitors (changedetection.io, Distill, restock and delivery-slot checkers as in spring
    2020): a scheduled real browser on somebody's home server, one profile and so one cookie for a day or two, a timer
    with more or less jitter, now and then a run that fails. A few pages an hour are no load on any server.

    An analyst knows it by the clock: dozens of short visits a day at even distances, also at four in the morning,
    always the same pages, no search, no cart, no order.
    """

    name: str = "held-out 2"
    is_declared: bool = False
    share: float = 0.02
    failed_share: float = 0.04
    most_pages: int = 3

    def requests(self, generator: np.random.Generator, surroundings: BotSurroundings) -> BotRequests:
        most = max(0, surroundings.events) // FEWEST_REQUESTS + 1
        every = _log_uniform(generator, 25 * MINUTE, 90 * MINUTE, most)
        runs = np.ceil(generator.uniform(26 * HOUR, 60 * HOUR, size=most) / every).astype(np.int64)
        pages = generator.choice(self.most_pages, size=most, p=[0.6, 0.25, 0.15]) + 1
        lengths = _until(runs * pages, surroundings.events)
        watchers = len(lengths)
        visitor, place = _spread(lengths)
        run, page = place // pages[visitor], place % pages[visitor]

        begins = generator.random(watchers) * (surroundings.period_days - 3) * DAY
        jitter = _log_uniform(generator, 0.01, 0.25, watchers)
        # What belongs to a run is drawn for every request and taken from the first of the run.
        first_of_run = np.arange(len(visitor)) - page
        off = np.clip(jitter[visitor] * generator.standard_normal(len(visitor)), -0.4, 0.4)[first_of_run]
        loading = (2 + 4 * generator.random(len(visitor)))[first_of_run]
        works = (generator.random(len(visitor)) >= self.failed_share)[first_of_run] | (run == 0)

        watched = generator.integers(max(1, surroundings.products), size=(watchers, self.most_pages))
        kinds = np.array([Step.PRODUCT, Step.CATEGORY, Step.OFFERS], dtype=np.int64)
        kind = kinds[generator.choice(len(kinds), size=(watchers, self.most_pages), p=[0.7, 0.15, 0.15])]
        browsers = len(surroundings.browser_agents) // surroundings.months
        browser = generator.integers(browsers, size=watchers)
        month = np.clip(begins // MONTH - generator.integers(4, size=watchers), 0, 11).astype(np.int64)
        # Some run more than one at home.
        homes = max(1, round(0.75 * watchers))
        home = generator.integers(homes, size=watchers)
        return BotRequests(
            visitor=visitor[works],
            seconds=(begins[visitor] + (run + 0.5 + off) * every[visitor] + page * loading)[works],
            step=kind[visitor, page][works],
            product=watched[visitor, page][works],
            agent=(browser * surroundings.months + month)[visitor][works],
            address=home[visitor][works],
            agents=surroundings.browser_agents,
            addresses=_home_lines(generator, homes),
        )


HELD_OUT_FAMILIES: tuple[BotFamily, ...] = (CredentialStuffing(), AvailabilityWatcher())


def _until(lengths: np.ndarray, events: int) -> np.ndarray:
    """The first of `lengths` whose sum is nearest to `events`; none where that is nearer still."""
    sums = np.r_[0, np.cumsum(lengths)]
    kept: np.ndarray = lengths[: int(np.abs(sums - events).argmin())]
    return kept


def _spread(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per request: its visitor, and its place (0, 1, 2 …) within that visitor's."""
    visitor = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(visitor)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return visitor, place


def _running(pauses: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Sum of a visitor's `pauses` before each request, in seconds."""
    before = np.r_[0.0, np.cumsum(pauses)]
    running: np.ndarray = before[:-1] - np.repeat(before[np.cumsum(lengths) - lengths], lengths)
    return running


def _log_uniform(generator: np.random.Generator, low: float, high: float, count: int) -> np.ndarray:
    drawn: np.ndarray = low * (high / low) ** generator.random(count)
    return drawn


def _home_lines(generator: np.random.Generator, count: int) -> list[str]:
    """Addresses in the block that the overlay's homes are in (198.18.0.0/15): the network gives nobody away."""
    numbers = generator.integers(1 << 17, size=count)
    return [f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in numbers.tolist()]
