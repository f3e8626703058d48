"""Reasons as sentences, in the words of `words.yml` with a shop's own over them."""

import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator

from ml.catalogue import Feature, family_of
from ml.words import Entry, as_sections, check_features, checked, merged, read_words

SHIPPED_FILE = Path(__file__).with_name("words.yml")
BY_KEY = ("directions", "fallbacks", "features")
Direction = Literal["raises", "lowers"]
RAISES: Direction = "raises"
LOWERS: Direction = "lowers"

Floats = npt.NDArray[np.float64]


def _only(text: str, placeholders: Collection[str]) -> str:
    try:
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"'{text}' is no template: {error}") from error
    if strange := sorted(named - set(placeholders)):
        raise ValueError(f"'{text}' asks for {{{strange[0]}}}; there is {', '.join(sorted(placeholders))}")
    return text


class Told(Entry):
    """How one feature is told."""

    theme: str = Field(min_length=1)
    says: str = Field(min_length=1)
    none: str | None = None
    unknown: str | None = None
    missing: str | None = None
    unit: tuple[str, str] | None = None
    kind: Literal["number", "money", "percent", "flag"] = Field("number", alias="as")

    @field_validator("says", "none", "unknown")
    @classmethod
    def _is_template(cls, text: str | None) -> str | None:
        return None if text is None else _only(text, ("value", "window"))


class ReasonWords(Entry):
    """The words, checked."""

    sentence: str
    directions: dict[Literal["raises", "lowers"], str]
    like_typical: str = Field(min_length=1)
    fallbacks: dict[Literal["base_rate", "cohort"], str]
    unknown: str
    missing: str
    zero: str
    so_far: str
    within: str
    features: dict[str, Told]

    @field_validator("sentence")
    @classmethod
    def _is_sentence(cls, text: str) -> str:
        return _only(text, ("told", "typical", "direction"))

    @field_validator("unknown")
    @classmethod
    def _names_theme(cls, text: str) -> str:
        return _only(text, ("theme",))

    @field_validator("within")
    @classmethod
    def _names_days(cls, text: str) -> str:
        return _only(text, ("days",))

    @field_validator("directions", "fallbacks")
    @classmethod
    def _is_whole(cls, entries: dict[str, str]) -> dict[str, str]:
        wanted = {"raises", "lowers"} if {"raises", "lowers"} & set(entries) else {"base_rate", "cohort"}
        if missing := sorted(wanted - set(entries)):
            raise ValueError(f"lacks {', '.join(missing)}")
        return entries

    def told(self, feature: Feature) -> Told:
        """The words of a feature: its own, those of its family, or its name."""
        found = self.features.get(feature.name) or self.features.get(family_of(feature.name))
        if found is not None:
            return found
        name = family_of(feature.name).replace("_", " ")
        kinds = {"money": "money", "share": "percent", "rate": "percent", "flag": "flag"}
        kind = kinds.get(feature.unit, "number")
        return Told.model_validate({"theme": name.capitalize(), "says": f"{name}{{window}}: {{value}}", "as": kind})


@cache
def shipped_words() -> ReasonWords:
    """The words that ship with the project."""
    return checked(ReasonWords, read_words(SHIPPED_FILE), str(SHIPPED_FILE), SHIPPED_FILE)


def words_of(own: object, file: str, features: Collection[str]) -> ReasonWords:
    """The shipped words with a shop's own over them.

    Parameters
    ----------
    own : what the shop's file holds, as YAML reads it; None for an empty one
    file : the file, for messages
    features : names of all features there are

    Raises
    ------
    WordsError
        If a section or a feature is unknown, or an entry incomplete.
    """
    if own is None:
        return shipped_words()
    sections = as_sections(own, file, tuple(ReasonWords.model_fields), SHIPPED_FILE)
    named = sections.get("features") or {}
    if isinstance(named, Mapping):
        check_features([str(name) for name in named], file, {*features, *map(family_of, features)})
    return checked(ReasonWords, merged(read_words(SHIPPED_FILE), sections, BY_KEY), file, SHIPPED_FILE)


@dataclass(frozen=True)
class Teller:
    """Tells reasons of some features.

    Attributes
    ----------
    features : the features of a model, in order
    words : the words
    currency : ISO code of what money is counted in
    """

    features: tuple[Feature, ...]
    words: ReasonWords
    currency: str

    @property
    def themes(self) -> tuple[str, ...]:
        """The theme of each feature, in the order of the features."""
        return tuple(self.words.told(feature).theme for feature in self.features)

    def sentences(
        self, places: npt.NDArray[np.intp], raises: npt.NDArray[np.bool_], rows: pd.DataFrame, reference: pd.DataFrame
    ) -> npt.NDArray[np.object_]:
        """One sentence a row, shape (n_rows,).

        Parameters
        ----------
        places : array of shape (n_rows,); which feature is told of each row
        raises : array of shape (n_rows,); whether it raises the score
        rows : DataFrame of shape (n_rows, n_features)
        reference : DataFrame of one row, what is typical
        """
        found = np.empty(len(rows), dtype=object)
        for place in np.unique(places):
            feature = self.features[place]
            inside = places == place
            values, turns = _told_apart(rows[feature.name].to_numpy()[inside], self.words.told(feature).kind)
            typical = self._typical(feature, reference[feature.name].iloc[0])
            upwards = raises[inside]
            for direction, is_so in ((RAISES, upwards), (LOWERS, ~upwards)):
                texts = np.empty(len(values), dtype=object)
                for turn in np.unique(turns[is_so]):
                    texts[turn] = self._sentence(feature, values[turn], typical, direction)
                found[np.flatnonzero(inside)[is_so]] = texts[turns[is_so]]
        return found

    def _sentence(self, feature: Feature, value: Any, typical: str, direction: Direction) -> str:
        text = self.words.sentence.format(
            told=self.told(feature, value), typical=typical, direction=self.words.directions[direction]
        )
        return text[:1].upper() + text[1:]

    def told(self, feature: Feature, value: Any) -> str:
        """A feature with a customer's value, e.g. ``placed 9 orders in the last 28 days``."""
        told, days = self.words.told(feature), feature.window_days
        window = self.words.so_far if days is None else self.words.within.format(days=days)
        if _is_null(value):
            text = told.unknown or self.words.unknown.format(theme=told.theme.lower())
        elif told.none is not None and not isinstance(value, str) and value == 0:
            text = told.none
        else:
            text = told.says
        return text.format(value=self._value(told, value), window=window)

    def _typical(self, feature: Feature, value: Any) -> str:
        told = self.words.told(feature)
        return self.words.zero if value == 0 and told.unit is not None else self._value(told, value)

    def _value(self, told: Told, value: Any) -> str:
        if _is_null(value):
            return told.missing or self.words.missing
        if isinstance(value, str):
            return value
        if told.kind == "percent":
            return f"{value:.1%}" if 0 < abs(value) < 0.01 else f"{value:.0%}"
        if told.kind == "flag":
            return "yes" if value else "no"
        if told.kind == "money":
            return f"{_money(float(value))} {self.currency}"
        number = _number(float(value))
        return number if told.unit is None else f"{number} {told.unit[0] if number == '1' else told.unit[1]}"


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _number(value: float) -> str:
    if value == round(value) or abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def _money(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 10 else f"{value:.2f}"


def _told_apart(values: npt.NDArray[Any], kind: str) -> tuple[Sequence[Any], npt.NDArray[np.intp]]:
    """The values that read differently, and which of them each one is: a million values are few texts."""
    if values.dtype == object:
        turns, distinct = pd.factorize(values)
        return list(distinct), turns
    numbers = values.astype(np.float64)
    if kind == "percent":
        rounded = np.where(np.abs(numbers) < 0.01, np.round(numbers, 3), np.round(numbers, 2))
    else:
        size = np.abs(numbers)
        below_ten = np.where((size >= 1) & (kind != "money"), np.round(numbers, 1), np.round(numbers, 2))
        rounded = np.where(size >= 10, np.round(numbers), below_ten)
    distinct, turns = np.unique(rounded, return_inverse=True)
    return distinct.tolist(), turns
