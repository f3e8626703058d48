"""What is to be generated: seed, size, the period, and which dirt and bots are planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ingestion.overlay.bots import BOT_FAMILIES, BotFamily
from ingestion.overlay.dirt import DIRT_RECIPES, DirtRecipe
from ingestion.overlay.draws import Draws

SITE = "https://www.journey-market.example"
ZONE = "America/New_York"
# The demo shop's year in UTC: local midnight of 2017-01-01 to local midnight of 2018-01-01.
PERIOD_START = datetime(2017, 1, 1, 5)
PERIOD_END = datetime(2018, 1, 1, 5)
PERIOD_DAYS = 365
MAX_LATE_DAYS = 7
# Late arrivals end within a week after the period: from this day on everything is known.
EVERYTHING_KNOWN = date(2018, 1, 10)
EVENTS_PER_PERSON = 120


@dataclass(frozen=True)
class OverlayPlan:
    """Size and seed of an overlay, with the registries that dirt and bots come from.

    Parameters
    ----------
    seed
        Everything that is drawn depends on it and on nothing else.
    scale
        People per real household. 1: the household itself; more: re-drawn, perturbed copies of it.
    events
        About how many web events in all (within a few per cent); None: 120 a person.
    dirt_recipes, bot_families
        What is planted; by default all that ship. Pass your own to plant something else (`dirt.DirtRecipe`,
        `bots.BotFamily`).
    """

    seed: int = 1
    scale: int = 1
    events: int | None = None
    dirt_recipes: Sequence[DirtRecipe] = field(default=DIRT_RECIPES)
    bot_families: Sequence[BotFamily] = field(default=BOT_FAMILIES)

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError(f"scale must be 1 or more, not {self.scale}")
        if self.events is not None and self.events < 0:
            raise ValueError(f"events must not be negative, but is {self.events}")

    def wanted_events(self, people: int) -> int:
        """About how many web events."""
        return self.events if self.events is not None else EVENTS_PER_PERSON * people

    @property
    def draws(self) -> Draws:
        return Draws(self.seed)
