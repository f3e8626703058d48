"""What a linkage may compare and how much work it may make."""

from __future__ import annotations

from dataclasses import dataclass

KEY = "record_key"
# Every one may be null in a record, and a column that says nothing at all drops out.
COLUMNS = (
    "given_name",
    "last_name",
    "email",
    "phone",
    "street",
    "street_number",
    "postcode",
    "city",
    "birth_date",
)


@dataclass(frozen=True)
class LinkageSettings:
    """Bounds and thresholds; the same defaults serve every set of persons.

    Attributes
    ----------
    personal_extras, household_extras : tuple of str
        Further columns of the records. Personal: what people of one household do not share as a rule (a national
        number, an occupation, a birth place). Household: what they share (a state, a second line of the address).
    threshold : float
        Probability from which `score` reports a pair. Pairs are meant to be glued into groups, where one wrong pair
        joins two groups: at 0.99 a pair is wrong once in a hundred at the worst, and most are far above.
    max_pairs_per_rule : int
        A blocking rule that would make more is narrowed to its smaller blocks.
    max_block_records : int
        Blocks of more records are never compared: a value that hundreds share is no trace of a person.
    min_rule_share : float
        A rule that, once narrowed, keeps less than this share of the records that share a value with others is dropped.
    training_pairs : int
        Pairs of one training session, about; and of the sample that the prior is estimated on.
    random_pairs : int
        Random pairs from which it is estimated how often strangers agree; of few records fewer, a hundred a record.
    frequent_values : int
        So many of the most frequent values of a column keep a frequency of their own in the model.
    """

    personal_extras: tuple[str, ...] = ()
    household_extras: tuple[str, ...] = ()
    threshold: float = 0.99
    max_pairs_per_rule: int = 10_000_000
    max_block_records: int = 1_000
    min_rule_share: float = 0.05
    training_pairs: int = 150_000
    random_pairs: int = 1_000_000
    frequent_values: int = 20_000

    def __post_init__(self) -> None:
        extras = self.extras
        if len(set(extras)) != len(extras) or set(extras) & {KEY, *COLUMNS}:
            raise ValueError(f"extra columns {extras} repeat each other or a column that is compared anyway")
        if not all(name.isidentifier() and name == name.lower() for name in extras):
            raise ValueError(f"extra columns {extras} must be plain lower-case names")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} is not between 0 and 1")

    @property
    def extras(self) -> tuple[str, ...]:
        """All further columns."""
        return self.personal_extras + self.household_extras

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are compared."""
        return COLUMNS + self.extras
