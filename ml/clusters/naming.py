"""Names of clusters from what sets each of them apart, in the words of a naming table.

A name is kept as its parts (a noun, and adjectives with their feature), not as a text: a cluster keeps them with its
key when it is fitted anew, and somebody who edits the words sees them at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.words import Adjective, Words

Floats = npt.NDArray[np.float64]

# A feature that is constant within the clusters but not between them has an infinite effect.
MAX_EFFECT = 10.0
EVERYBODY, WITHIN = -1, -2
# Cohen (1988), Statistical Power Analysis for the Behavioral Sciences: medium and large; below, "a little".
SIZES = ((0.8, "much "), (0.5, ""), (0.0, "a little "))


@dataclass(frozen=True)
class NameParts:
    """What a name says.

    Attributes
    ----------
    noun : int
        Place of the noun in the table; `EVERYBODY` for all customers, `WITHIN` for a micro-segment, which has its
        parent's name before its own.
    adjectives : tuple of (feature, whether there is much of it)
    place : int
        Tells clusters apart that nothing else does; 0 for none.
    """

    noun: int
    adjectives: tuple[tuple[str, bool], ...] = ()
    place: int = 0


def effect_sizes(prepared: pd.DataFrame, keys: Sequence[str], labels: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Cohen's d of each cluster against all others: difference of means in pooled standard deviations.

    Parameters
    ----------
    prepared : DataFrame of shape (n_customers, n_features), near to normal
    keys : the clusters
    labels : array of shape (n_customers,); None for a customer that is in none of them and among the others of none

    Returns
    -------
    DataFrame of shape (n_clusters, n_features), index keys, between -10 and 10; 0 for a cluster without others
    """
    counted = prepared[np.isin(labels, list(keys))]
    within = labels[np.isin(labels, list(keys))]
    rows = []
    for key in keys:
        own, others = counted[within == key], counted[within != key]
        if not len(own) or not len(others):
            rows.append(pd.Series(0.0, index=prepared.columns))
            continue
        pooled = np.sqrt((own.var(ddof=0) * len(own) + others.var(ddof=0) * len(others)) / len(counted))
        effects = (own.mean() - others.mean()) / pooled.clip(lower=1e-9)
        rows.append(effects.clip(-MAX_EFFECT, MAX_EFFECT).round(6))
    return pd.DataFrame(rows, index=pd.Index(list(keys)))


def name_parts(
    effects: pd.DataFrame, words: Words, kept: Mapping[str, NameParts] | None = None, is_micro: bool = False
) -> dict[str, NameParts]:
    """Distinct names for clusters, those in `kept` as they are.

    The noun is the first of the table that fits; up to so many adjectives say what else is unusual. A new cluster
    whose name is taken gets further adjectives, and in the end a number.

    Parameters
    ----------
    effects : DataFrame of shape (n_clusters, n_features), index keys, all clusters of one level or one parent
    kept : names that clusters have already
    is_micro : whether the effects are against siblings, and the parent has said the noun
    """
    found = {key: parts for key, parts in (kept or {}).items() if key in effects.index}
    waiting = [key for key in effects.index if key not in found]
    if len(effects) == 1 and waiting:
        return {waiting[0]: NameParts(EVERYBODY)}
    nouns = {key: WITHIN if is_micro else _noun(effects.loc[key].to_dict(), words) for key in waiting}
    ranked = {key: _adjectives(effects.loc[key].to_dict(), words.told_of(is_micro)) for key in waiting}
    counts = {
        key: min(words.max_adjectives, sum(strength >= words.worth_a_word for _, _, strength in ranked[key]))
        for key in waiting
    }
    if is_micro:  # its adjectives are all that it has
        counts = {key: max(count, 1) for key, count in counts.items()}
    texts = {render(parts, words) for parts in found.values()}
    for _ in range(1 + len(words.told_of(is_micro))):
        made = {key: _composed(nouns[key], ranked[key][: counts[key]]) for key in waiting}
        clashing = _clashing(made, texts, words)
        if not clashing:
            return {**found, **made}
        for key in clashing:
            counts[key] = min(counts[key] + 1, len(ranked[key]))
    taken = set(texts)
    for key in waiting:
        parts = made[key]
        while render(parts, words) in taken:
            parts = NameParts(parts.noun, parts.adjectives, max(parts.place, 1) + 1)
        taken.add(render(parts, words))
        found[key] = parts
    return found


def _clashing(made: Mapping[str, NameParts], texts: set[str], words: Words) -> list[str]:
    rendered = {key: render(parts, words) for key, parts in made.items()}
    seen = list(rendered.values())
    return [key for key, text in rendered.items() if text in texts or seen.count(text) > 1]


def _noun(effects: Mapping[str, float], words: Words) -> int:
    return next((place for place, noun in enumerate(words.nouns) if noun.fits(effects)), len(words.nouns) - 1)


def _adjectives(effects: Mapping[str, float], told: Mapping[str, Adjective]) -> list[tuple[str, bool, float]]:
    """Features with a word, strongest first, one for each theme."""
    strongest: dict[str, tuple[str, bool, float]] = {}
    for feature, adjective in told.items():
        effect = float(effects.get(feature, 0.0))
        if effect and (adjective.theme not in strongest or abs(effect) > strongest[adjective.theme][2]):
            strongest[adjective.theme] = (feature, effect > 0, abs(effect))
    return sorted(strongest.values(), key=lambda item: (-item[2], item[0]))


def _composed(noun: int, adjectives: Sequence[tuple[str, bool, float]]) -> NameParts:
    return NameParts(noun, tuple((feature, is_high) for feature, is_high, _ in adjectives))


def render(parts: NameParts, words: Words) -> str:
    """A name as people read it, in today's words; what has lost its word is left out."""
    if parts.noun == EVERYBODY:
        return "All customers"
    is_micro = parts.noun == WITHIN
    noun = "" if is_micro else words.nouns[min(parts.noun, len(words.nouns) - 1)].word
    told = words.told_of(is_micro)
    adjectives = [
        told[feature].high if is_high else told[feature].low for feature, is_high in parts.adjectives if feature in told
    ]
    text = f"{', '.join(dict.fromkeys(adjectives))} {noun}".strip() or "others"
    number = f" ({parts.place})" if parts.place else ""
    return f"{text[:1].upper()}{text[1:]}{number}"


def rendered_names(parts: Mapping[str, NameParts], words: Words) -> dict[str, str]:
    """Key to name: a company's own where there is one; two that read the same get their keys behind them.

    A micro-segment (``parent.number``) has its parent's name before its own.
    """
    broad = _distinct({key: words.names.get(key) or render(one, words) for key, one in parts.items() if "." not in key})
    micro = {}
    for key, one in parts.items():
        parent, dot, _ = key.rpartition(".")
        if dot:
            own = render(one, words)
            micro[key] = words.names.get(key) or f"{broad.get(parent, parent)}: {own[:1].lower()}{own[1:]}"
    return {**broad, **_distinct(micro)}


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    seen = list(names.values())
    return {key: f"{name} ({key})" if seen.count(name) > 1 else name for key, name in names.items()}


def size_in_words(effect: float) -> str:
    """An effect size as "much more", "less", "a little more"."""
    amount = next(word for least, word in SIZES if abs(effect) >= least)
    return f"{amount}{'more' if effect > 0 else 'less'}"


def trait_text(feature: str, mean: float, others: float, effect: float, words: Words) -> str:
    """One trait on a card, e.g. ``spend per order: 48, others 26 (much more)``."""
    trait = words.trait(feature)
    figures = [f"{value:.0%}" if trait.kind == "percent" else _number(value) for value in (mean, others)]
    return f"{trait.label}: {figures[0]}, others {figures[1]} ({size_in_words(effect)})"


def _number(value: float) -> str:
    if abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
