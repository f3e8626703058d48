"""The naming table: words for features, shipped in `words.yml`, with a shop's own words over them."""

import difflib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

SHIPPED_FILE = Path(__file__).with_name("words.yml")
SECTIONS = ("worth_a_word", "max_adjectives", "nouns", "adjectives", "within", "traits", "names")


class WordsError(ValueError):
    """A naming table has an entry that cannot be used; the message names file, feature and next step."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Noun(_Entry):
    """What members are, where each condition on an effect size holds."""

    word: str = Field(min_length=1)
    at_least: dict[str, float] = {}
    at_most: dict[str, float] = {}

    def fits(self, effects: Mapping[str, float]) -> bool:
        """Whether the conditions hold; a feature that is not there has the effect 0."""
        return all(effects.get(feature, 0.0) >= least for feature, least in self.at_least.items()) and all(
            effects.get(feature, 0.0) <= most for feature, most in self.at_most.items()
        )


class Adjective(_Entry):
    """Words for much and for little of a feature; features of one theme say the same and share one word."""

    theme: str = Field(min_length=1)
    high: str = Field(min_length=1)
    low: str = Field(min_length=1)


class Trait(_Entry):
    """How a feature is called on a card, and how its figures are written."""

    label: str = Field(min_length=1)
    kind: Literal["number", "percent"] = Field("number", alias="as")
    theme: str | None = None


class Words(_Entry):
    """A naming table that was checked."""

    worth_a_word: float = Field(gt=0)
    max_adjectives: int = Field(ge=0)
    nouns: tuple[Noun, ...] = Field(min_length=1)
    adjectives: dict[str, Adjective]
    within: dict[str, Adjective]
    traits: dict[str, Trait]
    names: dict[str, str]

    def told_of(self, is_micro: bool) -> dict[str, Adjective]:
        """Adjectives of a broad cluster, or of a micro-segment beside its siblings."""
        return self.within if is_micro else self.adjectives

    def trait(self, feature: str) -> Trait:
        """The trait of `feature`; one without an entry is called by its column."""
        return self.traits.get(feature) or Trait.model_validate({"label": feature.replace("_", " ")})


@cache
def shipped_words() -> Words:
    """The words that ship with the project."""
    return _checked(_read_shipped(), str(SHIPPED_FILE))


def words_of(own: object, file: str, features: Collection[str]) -> Words:
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
    if not isinstance(own, Mapping):
        raise WordsError(f"{file} must hold keys and values, not a {type(own).__name__}. Next: see {SHIPPED_FILE}.")
    for section in own:
        if section not in SECTIONS:
            raise WordsError(f"{file}: unknown section '{section}'{_hint(section, SECTIONS)}")
    for feature in _features_named(own, file):
        if feature not in features:
            raise WordsError(f"{file}: there is no feature '{feature}'{_hint(feature, features)}")
    return _checked(_merged(_read_shipped(), own), file)


def _read_shipped() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(SHIPPED_FILE.read_text(encoding="utf-8"))
    return content


def _features_named(own: Mapping[str, Any], file: str) -> list[str]:
    found: list[str] = []
    for section in ("adjectives", "within", "traits"):
        entries = own.get(section) or {}
        if not isinstance(entries, Mapping):
            raise WordsError(f"{file}: {section} must map features to words. Next: see {SHIPPED_FILE}.")
        found.extend(map(str, entries))
    for noun in own.get("nouns") or []:
        if isinstance(noun, Mapping):
            found.extend(str(name) for part in ("at_least", "at_most") for name in noun.get(part) or {})
    return found


def _merged(shipped: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(shipped)
    for section, value in own.items():
        if section in ("adjectives", "within", "traits", "names"):
            entries = {**shipped[section], **{str(name): entry for name, entry in (value or {}).items()}}
            merged[section] = {name: entry for name, entry in entries.items() if entry is not None}
        else:
            merged[section] = value
    return merged


def _checked(content: dict[str, Any], file: str) -> Words:
    try:
        return Words.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(f"{' '.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise WordsError(f"{file}: {problems}. Next: correct the entry; {SHIPPED_FILE} shows each kind.") from error


def _hint(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'? Next: correct it."
    return f". Next: remove it, or take one of {', '.join(sorted(known)[:12])} …"
