"""Session scripts: what a visit looks like, step by step, drawn once a seed and then played by many visits.

A script is a walk over kinds of pages with heavy-tailed pauses. Visits play it at their own pace and with their own
products, so that no two visits are alike though a few thousand scripts make millions of them. `positions` leave gaps of
one, where a login can happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.overlay.draws import Draws


class Step(IntEnum):
    """What happens in a step."""

    HOME = 0
    CATEGORY = 1
    SEARCH = 2
    PRODUCT = 3
    REVIEW = 4
    TUTORIAL = 5
    ADD = 6
    REMOVE = 7
    CART = 8
    CHECKOUT = 9
    ORDER = 10
    ACCOUNT = 11
    OFFERS = 12
    PROMOTION = 13
    LOGIN = 14


@dataclass(frozen=True)
class StepKind:
    """How a step looks as an event: Segment type and name, content type, median seconds until the next step."""

    event_type: str
    event_name: str | None
    content_type: str
    pause: float


STEP_KINDS: dict[Step, StepKind] = {
    Step.HOME: StepKind("page", None, "home", 9),
    Step.CATEGORY: StepKind("track", "Product List Viewed", "category", 16),
    Step.SEARCH: StepKind("track", "Products Searched", "search", 11),
    Step.PRODUCT: StepKind("track", "Product Viewed", "product", 21),
    Step.REVIEW: StepKind("page", None, "review", 38),
    Step.TUTORIAL: StepKind("page", None, "tutorial", 75),
    Step.ADD: StepKind("track", "Product Added", "product", 6),
    Step.REMOVE: StepKind("track", "Product Removed", "cart", 8),
    Step.CART: StepKind("track", "Cart Viewed", "cart", 15),
    Step.CHECKOUT: StepKind("track", "Checkout Started", "checkout", 55),
    Step.ORDER: StepKind("track", "Order Completed", "checkout", 10),
    Step.ACCOUNT: StepKind("page", None, "account", 25),
    Step.OFFERS: StepKind("page", None, "category", 14),
    Step.PROMOTION: StepKind("track", "Promotion Clicked", "home", 5),
    Step.LOGIN: StepKind("identify", None, "account", 10),
}
PAUSE_SIGMA = 0.95  # of the logarithm: one pause in twenty is five times the median
# Once in a while somebody is called away: minutes, but less than the half hour that ends a session.
INTERRUPTED_SHARE, INTERRUPTED_SECONDS = 0.02, (90, 1200)
MAX_STEPS = 44
SCRIPTS_PER_FLAVOR = 600
PATHS, PATH_STEPS = 2_000, 60
# Carts: what each planted kind looks like in time.
LEFT_WITHIN_SECONDS = 560.0
IDLE_SECONDS = (31 * 60.0, 6 * 3600.0)

# Where people go next without buying, by weight; how long a visit lasts is drawn apart.
WALK: dict[Step, dict[Step, float]] = {
    Step.HOME: {
        Step.CATEGORY: 0.34,
        Step.SEARCH: 0.25,
        Step.PRODUCT: 0.14,
        Step.PROMOTION: 0.07,
        Step.TUTORIAL: 0.05,
        Step.ACCOUNT: 0.03,
    },
    Step.CATEGORY: {Step.PRODUCT: 0.52, Step.CATEGORY: 0.18, Step.SEARCH: 0.09, Step.HOME: 0.06},
    Step.SEARCH: {Step.PRODUCT: 0.55, Step.SEARCH: 0.15, Step.CATEGORY: 0.10, Step.HOME: 0.04},
    Step.PRODUCT: {
        Step.PRODUCT: 0.24,
        Step.CATEGORY: 0.22,
        Step.REVIEW: 0.12,
        Step.SEARCH: 0.13,
        Step.HOME: 0.06,
        Step.TUTORIAL: 0.03,
    },
    Step.REVIEW: {Step.PRODUCT: 0.40, Step.CATEGORY: 0.18, Step.REVIEW: 0.10, Step.SEARCH: 0.08},
    Step.TUTORIAL: {Step.PRODUCT: 0.22, Step.TUTORIAL: 0.20, Step.CATEGORY: 0.18, Step.HOME: 0.08},
    Step.ACCOUNT: {Step.HOME: 0.20, Step.CATEGORY: 0.18, Step.ACCOUNT: 0.15},
    Step.PROMOTION: {Step.CATEGORY: 0.45, Step.PRODUCT: 0.35},
    Step.OFFERS: {Step.PRODUCT: 0.42, Step.CATEGORY: 0.26, Step.SEARCH: 0.08},
}


@dataclass(frozen=True)
class Flavor:
    """A kind of visit: where it begins, how likely a look becomes an add, and what its cart is planted as."""

    name: str
    share: float
    starts: dict[Step, float]
    add_share: float = 0.0
    cart: str | None = None
    min_steps: int = 1


ENTRIES = {
    Step.HOME: 0.42,
    Step.CATEGORY: 0.16,
    Step.SEARCH: 0.08,
    Step.PRODUCT: 0.26,
    Step.TUTORIAL: 0.05,
    Step.REVIEW: 0.03,
}
FLAVORS: tuple[Flavor, ...] = (
    Flavor("look", 0.72, ENTRIES),
    Flavor("long look", 0.13, ENTRIES, min_steps=9),
    Flavor("left", 0.05, ENTRIES, add_share=0.4, cart="left_within_10_minutes", min_steps=4),
    Flavor("idle", 0.04, ENTRIES, add_share=0.4, cart="idle_over_30_minutes", min_steps=4),
    Flavor("unbought", 0.06, ENTRIES, add_share=0.4, cart="unbought_after_24_hours", min_steps=5),
    Flavor("mail", 0.0, {Step.OFFERS: 1.0}, min_steps=2),
    Flavor("mail mid visit", 0.0, ENTRIES, min_steps=5),
)


def open_scripts(connection: duckdb.DuckDBPyConnection, draws: Draws) -> None:
    """Make `scripts` (one a row), `script_steps` and `paths` (running pauses for visits of any length)."""
    heads: list[pa.Table] = []
    steps: list[pa.Table] = []
    for number, flavor in enumerate(FLAVORS):
        head, step = _flavor_tables(flavor, number * SCRIPTS_PER_FLAVOR, draws.generator(f"scripts/{flavor.name}"))
        heads.append(head)
        steps.append(step)
    generator = draws.generator("paths")
    pauses = np.exp(np.log(8) + PAUSE_SIGMA * generator.standard_normal((PATHS, PATH_STEPS)))
    running = np.cumsum(pauses, axis=1) - pauses
    paths = pa.table(
        {
            "path_step": pa.array(np.arange(PATHS * PATH_STEPS), pa.int32()),
            "seconds": pa.array(running.ravel(), pa.float32()),
        }
    )
    for name, table in {
        "scripts": pa.concat_tables(heads),
        "script_steps": pa.concat_tables(steps),
        "paths": paths,
    }.items():
        connection.register("script_rows", table)
        connection.execute(f"create or replace temp table {name} as from script_rows")
        connection.unregister("script_rows")


def _flavor_tables(flavor: Flavor, first_no: int, generator: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Walks of one flavor as tables: scripts and their steps. All scripts take their n-th step at once."""
    count = SCRIPTS_PER_FLAVOR
    kinds = np.full((count, MAX_STEPS), -1, dtype=np.int8)
    current = _drawn(np.repeat(_row(flavor.starts)[None, :], count, axis=0), generator)
    transitions = np.stack([_row(WALK.get(Step(step), {})) for step in range(len(Step))])
    last = generator.geometric(0.16, size=count) + flavor.min_steps - 1
    last = np.minimum(last, MAX_STEPS - 8)
    # Stops are drawn; the walk itself never ends.
    for step in range(MAX_STEPS - 8):
        alive = step < last
        kinds[alive, step] = current[alive]
        if flavor.add_share and step:
            added = alive & (kinds[:, step - 1] == Step.PRODUCT) & (generator.random(count) < flavor.add_share)
            kinds[added, step] = Step.ADD
            current = np.where(added, Step.PRODUCT, current)
        current = _drawn(transitions[current], generator)
    before_ending = last
    if flavor.cart:
        before_ending, last = _with_cart_end(flavor, kinds, last, generator)
    arrival = np.full(count, -1)
    if flavor.name == "mail":
        arrival[:] = 0
    elif flavor.name == "mail mid visit":
        arrival = 1 + np.floor(generator.random(count) * (last - 2)).astype(int)
        kinds[np.arange(count), arrival] = Step.OFFERS
    return _timed_tables(flavor, first_no, kinds, before_ending, last, arrival, generator)


def _row(weights: dict[Step, float]) -> np.ndarray:
    row = np.zeros(len(Step))
    for step, weight in weights.items():
        row[step] = weight
    return row / row.sum() if row.sum() else row


def _drawn(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One step a row."""
    reached = np.cumsum(probabilities, axis=1)
    drawn: np.ndarray = (generator.random(len(reached))[:, None] < reached).argmax(axis=1)
    return drawn


def _with_cart_end(
    flavor: Flavor, kinds: np.ndarray, last: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Every script of this flavor puts something into the cart, and ends the way its kind of cart does.

    Returns the number of steps before that ending, and in all.
    """
    rows = np.arange(len(kinds))
    without = ~(kinds == Step.ADD).any(axis=1)
    # A look and an add at the end of those that had none.
    kinds[rows[without], last[without]] = Step.PRODUCT
    kinds[rows[without], last[without] + 1] = Step.ADD
    last = last + 2 * without
    before_ending = last
    endings: dict[str, list[tuple[Step, ...]]] = {
        "left_within_10_minutes": [(), (Step.CART,), (Step.CART, Step.CHECKOUT), (Step.PRODUCT,)],
        "idle_over_30_minutes": [
            (Step.CART,),
            (Step.CART, Step.PRODUCT, Step.ADD),
            (Step.PRODUCT, Step.CART),
            (Step.CART, Step.REMOVE),
            (Step.CART, Step.CHECKOUT),
        ],
        "unbought_after_24_hours": [
            (Step.CART, Step.CATEGORY, Step.PRODUCT, Step.PRODUCT),
            (Step.CART, Step.CHECKOUT, Step.HOME),
            (Step.CART, Step.REMOVE, Step.CATEGORY, Step.PRODUCT),
            (Step.PRODUCT, Step.REVIEW, Step.PRODUCT, Step.CART),
        ],
    }
    options = endings[flavor.cart or ""]
    chosen = generator.integers(len(options), size=len(kinds))
    for number, ending in enumerate(options):
        for step in ending:
            of_option = chosen == number
            kinds[rows[of_option], last[of_option]] = step
            last = last + of_option
    return before_ending, last


def _timed_tables(
    flavor: Flavor,
    first_no: int,
    kinds: np.ndarray,
    before_ending: np.ndarray,
    last: np.ndarray,
    arrival: np.ndarray,
    generator: np.random.Generator,
) -> tuple[pa.Table, pa.Table]:
    count, width = kinds.shape
    medians = np.array([STEP_KINDS[Step(step)].pause for step in range(len(Step))])
    pauses = medians[kinds] * np.exp(PAUSE_SIGMA * generator.standard_normal((count, width)))
    interrupted = generator.random((count, width)) < INTERRUPTED_SHARE
    short, long = INTERRUPTED_SECONDS
    pauses = np.where(interrupted, short * (long / short) ** generator.random((count, width)), pauses)
    pauses = np.minimum(pauses, long)
    is_step = np.arange(width)[None, :] < last[:, None]
    added = np.where((kinds == Step.ADD).any(axis=1), (kinds == Step.ADD).argmax(axis=1), width)
    after = np.arange(width)[None, :] >= added[:, None]
    if flavor.cart == "left_within_10_minutes":
        # Pauses after the first add shrink to fit: the last event is less than ten minutes after it.
        spent = np.where(after & is_step, pauses, 0).sum(axis=1)
        factor = np.minimum(1, LEFT_WITHIN_SECONDS / np.maximum(spent, 1))
        pauses = np.where(after, pauses * factor[:, None], pauses)
    elif flavor.cart == "idle_over_30_minutes":
        low, high = IDLE_SECONDS
        pauses[np.arange(count), before_ending - 1] = low * (high / low) ** (generator.random(count) ** 1.5)
    elif flavor.cart == "unbought_after_24_hours":
        # Longer than ten minutes after the first add: the visitor had every occasion to buy.
        spent = np.where(after & is_step, pauses, 0).sum(axis=1)
        factor = np.maximum(1, (720 + 600 * generator.random(count)) / np.maximum(spent, 1))
        pauses = np.where(after, np.minimum(pauses * factor[:, None], 1500), pauses)
    seconds = np.cumsum(pauses, axis=1) - pauses
    # Products change with each look; a review, an add or a removal is of the product last looked at.
    slots = np.cumsum((kinds == Step.PRODUCT) | (kinds == Step.CATEGORY) | (kinds == Step.SEARCH), axis=1)
    login = 1 + np.floor(generator.random(count) * np.maximum(1, np.minimum(last - 1, 6))).astype(int)
    login_seconds = np.where(
        login < last,
        seconds[np.arange(count), np.minimum(login, width - 1)] - 0.3,
        seconds[np.arange(count), np.maximum(last - 1, 0)] + 4.0,
    )
    script, step = np.nonzero(is_step)
    arrival_seconds = np.where(arrival >= 0, seconds[np.arange(count), np.maximum(arrival, 0)], 0.0)
    heads = pa.table(
        {
            "script_no": pa.array(first_no + np.arange(count), pa.int32()),
            "flavor": [flavor.name] * count,
            "cart_kind": pa.array([flavor.cart] * count, pa.string()),
            "steps": pa.array(last, pa.int32()),
            "arrival_position": pa.array(np.where(arrival >= 0, 2 * arrival, -1), pa.int32()),
            "arrival_seconds": pa.array(arrival_seconds, pa.float32()),
            "login_position": pa.array(2 * login - 1, pa.int32()),
            "login_seconds": pa.array(np.maximum(login_seconds, 0.2), pa.float32()),
            "last_seconds": pa.array(seconds[np.arange(count), last - 1], pa.float32()),
        }
    )
    steps = pa.table(
        {
            "script_no": pa.array(first_no + script, pa.int32()),
            "position": pa.array(2 * step, pa.int32()),
            "kind": pa.array(kinds[script, step], pa.int8()),
            "slot": pa.array(slots[script, step], pa.int32()),
            "seconds": pa.array(seconds[script, step], pa.float32()),
        }
    )
    return heads, steps
