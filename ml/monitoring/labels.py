"""Where what a model predicted can be looked up once it has come true: an entry a model."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LabelSource:
    """The label that a model's scores are held against.

    Attributes
    ----------
    model_name : str
    table, column : str
        Where the label stands: 1, 0, or null where it is not known.
    slices : tuple of str
        What the model calls all its judged rows in ``ml.model_performance``; the first that is there.
    is_per_offer : bool
        One row per customer and campaign; else per customer and as-of date.
    horizon : str
        ``"column"``: the label has a row for each horizon, and the score's is taken. ``"own"``: each row has a horizon
        of its own. ``"ends_on"``: the last day of the window stands beside it. ``"name"``: the column's name has it,
        and the score's horizon_days is that.
    per_unit : float
        What one of the score is as a probability: 0.01 for an index of 0 to 100.
    """

    model_name: str
    table: str
    column: str
    slices: tuple[str, ...] = ("all",)
    is_per_offer: bool = False
    horizon: str = "column"
    per_unit: float = 1.0

    @property
    def keys(self) -> tuple[str, ...]:
        """What names a row."""
        return ("customer_id", "as_of_date", "campaign_id") if self.is_per_offer else ("customer_id", "as_of_date")


LABEL_SOURCES: tuple[LabelSource, ...] = (
    LabelSource("buy_readiness", "label_readiness", "has_purchased", ("all dates",), per_unit=0.01),
    *(
        LabelSource(
            f"purchase_propensity_{days}d", "label_purchase_windows", f"has_purchased_{days}d", horizon="name"
        )
        for days in (7, 14, 28)
    ),
    LabelSource("churn_propensity", "label_churn", "has_churned", horizon="own"),
    LabelSource(
        "redemption_propensity", "label_redemption", "has_redeemed", ("mailed",), is_per_offer=True, horizon="ends_on"
    ),
    LabelSource(
        "click_propensity", "label_click", "has_clicked", ("reached by e-mail",), is_per_offer=True, horizon="ends_on"
    ),
)  # fmt: skip


def source_of(model_name: str, sources: Sequence[LabelSource] = LABEL_SOURCES) -> LabelSource:
    """The entry of a model.

    Raises
    ------
    KeyError
        If it has none; the message says where to add one.
    """
    for source in sources:
        if source.model_name == model_name:
            return source
    known = ", ".join(source.model_name for source in sources)
    raise KeyError(f"no label is known for {model_name} (there are {known}). Next: add it to ml/monitoring/labels.py.")
