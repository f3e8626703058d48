"""What a campaign wants of a score."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["precision", "recall", "people", "profit"]


class GoalError(ValueError):
    """A goal wants what no cut can give; the message names goal, model and value."""


@dataclass(frozen=True)
class Goal:
    """A goal for the scores of one model.

    Attributes
    ----------
    name : str
        What a marketer calls it: conversion, retention, upsell, budget, profit.
    model_name : str
        Whose scores are cut.
    kind : {"precision", "recall", "people", "profit"}
        What comes first. ``"precision"``: reach as many as possible while at least `wanted` of those contacted are
        positive. ``"recall"``: contact as few as possible while at least `wanted` of the positives are reached.
        ``"people"``: contact at most `wanted`. ``"profit"``: what earns the most.
    wanted : float or None
        A share, 0 to 1, for precision and recall; a count for people; None for profit.
    unit_cost : float or None
        What contacting one person costs, in the shop's currency.
    margin : float or None
        What each positive brings, cost of goods taken off. With both, every goal's row has a profit.
    """

    name: str
    model_name: str
    kind: Kind
    wanted: float | None = None
    unit_cost: float | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        where = f"goal '{self.name}' of {self.model_name}"
        if self.kind in ("precision", "recall") and not (self.wanted is not None and 0 < self.wanted <= 1):
            raise GoalError(f"{where}: the wanted {self.kind} is {self.wanted}, it must lie above 0 and up to 1.")
        if self.kind == "people" and not (self.wanted is not None and self.wanted >= 1):
            raise GoalError(f"{where}: the budget is {self.wanted} people, it must be at least 1.")
        if self.kind == "profit" and not self.has_money:
            raise GoalError(
                f"{where}: a profit needs a unit cost and a margin, they are {self.unit_cost} and {self.margin}."
            )
        for name, amount in (("unit cost", self.unit_cost), ("margin", self.margin)):
            if amount is not None and not 0 <= amount < float("inf"):
                raise GoalError(f"{where}: the {name} is {amount}, it must be at least 0.")

    @property
    def has_money(self) -> bool:
        """Whether a profit can be told."""
        return self.unit_cost is not None and self.margin is not None

    def profit(self, contacted: float, positives: float) -> float:
        """``margin * positives - unit_cost * contacted``, in the shop's currency; NaN without both amounts."""
        if self.unit_cost is None or self.margin is None:
            return float("nan")
        return self.margin * positives - self.unit_cost * contacted

    def wish(self) -> str:
        """What is wanted, in words."""
        if self.kind == "precision":
            return f"at least {self.wanted:.0%} of those contacted"
        if self.kind == "recall":
            return f"at least {self.wanted:.0%} of all who are looked for"
        return f"at most {self.wanted:,.0f} people" if self.kind == "people" else "the highest profit"
