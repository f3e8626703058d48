"""The naming table: words for features, shipped in `words.yml`, with a shop's own words over them."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ml.words import Entry, WordsError, as_sections, check_features, checked, merged, read_words

SHIPPED_FILE = Path(__file__).with_name("words.yml")
SECTIONS = ("worth_a_word", "max_adjectives", "nouns", "adjectives", "within", "traits", "names")
BY_KEY = ("adjectives", "within", "traits", "names")


class Noun(Entry):
    """What members are, where each condition on an effect size holds."""

    word: str = Field(min_length=1)
    at_least: dict[str, float] = Field(default_factory=dict)
    at_most: dict[str, float] = Field(default_factory=dict)

    def fits(self, effects: Mapping[str, float]) -> bool:
        """Whether the conditions hold; a feature that is not there has the effect 0."""
        return all(effects.get(feature, 0.0) >= least for feature, least in self.at_least.items()) and all(
            effects.get(feature, 0.0) <= most for feature, most in self.at_most.items()
        )


class Adjective(Entry):
    """Words for much and for little of a feature; features of one theme say the same and share one word."""

    theme: str = Field(min_length=1)
    high: str = Field(min_length=1)
    low: str = Field(min_length=1)


class Trait(Entry):
    """How a feature is called on a card, and how its figures are written."""

    label: str = Field(min_length=1)
    kind: Literal["number", "percent"] = Field("number", alias="as")
    theme: str | None = None


class Words(Entry):
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
    return checked(Words, read_words(SHIPPED_FILE), str(SHIPPED_FILE), SHIPPED_FILE)


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
    sections = as_sections(own, file, SECTIONS, SHIPPED_FILE)
    check_features(_features_named(sections, file), file, features)
    return checked(Words, merged(read_words(SHIPPED_FILE), sections, BY_KEY), file, SHIPPED_FILE)


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
