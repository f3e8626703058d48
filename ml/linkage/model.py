"""A trained linkage as plain data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ml.linkage.blocking import SizedRule


@dataclass(frozen=True)
class LinkageModel:
    """What was learnt from records without labels; the same records in any order give the same model.

    Attributes
    ----------
    columns : tuple of str
        What is compared, as far as the records said anything.
    comparisons : list of dict
        Splink's comparisons, with the shares m and u of each level.
    personal : tuple of str
        Comparisons in which people of one household differ; the weights of the others are bounded together.
    prior_weight : float
        Log2 odds that two records, whichever, are of one person.
    household_weight : float
        Log2 odds that they are when everything says that a household shares. The other comparisons together cannot
        lift a pair above it: who lives together shares address, phone, last name, and often a mailbox.
    frequencies : dict
        By column: {"values": {value: frequency}, "rest": frequency of any other}, for the weight of rare values.
    rules : tuple of SizedRule
        Blocking rules with their limits.
    threshold : float
        Probability from which pairs are reported, if the caller names none.
    dropped : dict
        By column, comparison or rule: why it takes no part.
    figures : dict
        Of the training: records, sessions, pairs.
    """

    columns: tuple[str, ...]
    comparisons: list[dict[str, Any]]
    personal: tuple[str, ...]
    prior_weight: float
    household_weight: float
    frequencies: dict[str, dict[str, Any]]
    rules: tuple[SizedRule, ...]
    threshold: float
    dropped: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def version(self) -> str:
        """Hash of all that decides a score: equal models score alike."""
        return hashlib.sha256(json.dumps(self._deciding(), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def comparison_names(self) -> tuple[str, ...]:
        """In the order in which they are compared."""
        return tuple(comparison["output_column_name"] for comparison in self.comparisons)

    def _deciding(self) -> dict[str, Any]:
        return {
            "columns": list(self.columns),
            "comparisons": self.comparisons,
            "personal": list(self.personal),
            "prior_weight": self.prior_weight,
            "household_weight": self.household_weight,
            "frequencies": self.frequencies,
            "rules": [rule.as_dict() for rule in self.rules],
            "threshold": self.threshold,
        }

    def to_json(self) -> str:
        """As text; `from_json` reads it back unchanged."""
        everything = {
            "version": self.version,
            **self._deciding(),
            "dropped": self.dropped,
            "figures": self.figures,
        }
        return json.dumps(everything, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> LinkageModel:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            The text is no model, or was changed since.
        """
        plain = json.loads(text)
        version = plain.pop("version", None)
        try:
            model = cls(
                **{
                    **plain,
                    "columns": tuple(plain["columns"]),
                    "personal": tuple(plain["personal"]),
                    "rules": tuple(SizedRule.from_dict(rule) for rule in plain["rules"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no linkage model: {error!r}") from error
        if model.version != version:
            raise ValueError(f"the linkage model says version {version} but is {model.version}: it was changed")
        return model
