"""A card as its parts: sections of text, tables and pictures. `ml.model_card.making` puts together what they say."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Table:
    """Rows of text under a caption.

    Attributes
    ----------
    numbers : which columns are figures, and stand to the right
    """

    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows."""

    name: str
    shows: str
    png: bytes


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, in this order: text, points, tables, pictures."""

    title: str
    text: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class ModelCard:
    """What is said of one version of a model.

    Attributes
    ----------
    model_name, model_version, title : str
    summary : the one paragraph for who reads no further
    facts : name and value of what a reader looks up
    """

    model_name: str
    model_version: str
    title: str
    summary: str
    facts: list[tuple[str, str]]
    sections: list[Section]


def as_table(frame: pd.DataFrame, caption: str, numbers: Sequence[str] = ()) -> Table:
    """A frame of text and numbers as rows of text; null is a dash."""
    rows = [tuple(cell(value) for value in row) for row in frame.itertuples(index=False)]
    return Table(caption, tuple(map(str, frame.columns)), rows, frozenset(numbers))


def cell(value: object) -> str:
    """A value as a table shows it."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:,.3f}"
    return str(value)


def between(value: float, low: float, high: float) -> str:
    """A figure with its interval, e.g. ``0.852 (0.837 to 0.867)``."""
    if np.isnan(value):
        return "-"
    return f"{value:.3f}" if np.isnan(low) or np.isnan(high) else f"{value:.3f} ({low:.3f} to {high:.3f})"
