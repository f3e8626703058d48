"""The largest reasons of each row, each of which the model itself bears out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

REASONS = 3
# Of log-odds: what changes the odds by less than two in a hundred is no reason.
WORTH_TELLING = 0.02
# Themes that are tried in the place of reasons that the model does not bear out.
SPARE = 3
NOTHING = -1


class Explains(Protocol):
    """What can be asked for contributions: `ml.reasons.contributions.Explainer`, or a scorecard's."""

    reference: pd.DataFrame

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        ...

    def margin(self, rows: pd.DataFrame) -> Floats:
        """Log-odds of the rows, as the model gives them."""
        ...

    def contributions(self, rows: pd.DataFrame) -> Floats:
        """Shape (n_rows, n_features)."""
        ...


@dataclass(frozen=True)
class Chosen:
    """The reasons of some rows, largest first.

    Attributes
    ----------
    theme : array of shape (n_rows, REASONS), place in `themes`; `NOTHING` where there are fewer reasons
    feature : array of shape (n_rows, REASONS), the feature of the theme that says most of it
    contribution : array of shape (n_rows, REASONS), of the whole theme, log-odds
    themes : names of the themes
    by_theme : array of shape (n_rows, n_themes), contributions of all themes
    tried, left_out : how many reasons were held against the model, and how many of them it did not bear out
    """

    theme: Places
    feature: Places
    contribution: Floats
    themes: tuple[str, ...]
    by_theme: Floats
    tried: int
    left_out: int


def choose_reasons(explainer: Explains, rows: pd.DataFrame, theme_of_feature: Sequence[str]) -> Chosen:
    """Up to three themes a row, those that contribute most, one way or the other.

    A theme counts with the sum of its features' contributions. It becomes a reason if the model bears it out: with all
    of its features at the values of the typical customer, and the others as they are, the score moves the way it says.

    Parameters
    ----------
    explainer : what gives contributions and the model's log-odds
    rows : DataFrame of shape (n_rows, n_features)
    theme_of_feature : the theme of each feature, in order
    """
    themes = tuple(dict.fromkeys(theme_of_feature))
    member = np.array([[one == theme for theme in themes] for one in theme_of_feature], dtype=np.float64)
    rows = rows.reset_index(drop=True)
    by_feature = explainer.contributions(rows)
    by_theme = by_feature @ member
    order = np.argsort(-np.abs(by_theme), axis=1, kind="stable")
    theme = np.full((len(rows), REASONS), NOTHING, dtype=np.intp)
    contribution = np.zeros((len(rows), REASONS))
    found = np.zeros(len(rows), dtype=np.intp)
    now = explainer.margin(rows)
    tried = left_out = 0
    for rank in range(min(REASONS + SPARE, len(themes))):
        candidate = order[:, rank]
        amount = by_theme[np.arange(len(rows)), candidate]
        asked = np.flatnonzero((found < REASONS) & (np.abs(amount) >= WORTH_TELLING))
        if not len(asked):
            break
        without = explainer.margin(_at_typical(rows.iloc[asked], candidate[asked], member, explainer.reference))
        borne_out = asked[np.sign(now[asked] - without) == np.sign(amount[asked])]
        tried, left_out = tried + len(asked), left_out + len(asked) - len(borne_out)
        theme[borne_out, found[borne_out]] = candidate[borne_out]
        contribution[borne_out, found[borne_out]] = amount[borne_out]
        found[borne_out] += 1
    return Chosen(theme, _spokesmen(by_feature, member, theme), contribution, themes, by_theme, tried, left_out)


def _at_typical(rows: pd.DataFrame, theme: Places, member: Floats, reference: pd.DataFrame) -> pd.DataFrame:
    """The rows with the features of each row's theme at the values of the reference."""
    changed = {}
    for place, name in enumerate(rows.columns):
        inside = member[place][theme] > 0
        typical = reference[name].iloc[0]
        changed[name] = np.where(inside, typical, rows[name].to_numpy()) if inside.any() else rows[name].to_numpy()
    return pd.DataFrame(changed)


def _spokesmen(by_feature: Floats, member: Floats, theme: Places) -> Places:
    """Of each theme the feature that contributes most in the theme's direction."""
    found = np.full(theme.shape, NOTHING, dtype=np.intp)
    for number in range(member.shape[1]):
        features = np.flatnonzero(member[:, number])
        own = by_feature[:, features]
        upwards = features[np.argmax(own, axis=1)]
        downwards = features[np.argmin(own, axis=1)]
        total = own.sum(axis=1)
        speaks = np.where(total >= 0, upwards, downwards)
        for rank in range(theme.shape[1]):
            inside = theme[:, rank] == number
            found[inside, rank] = speaks[inside]
    return found
