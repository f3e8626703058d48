"""The yes/no questions that are answered for customers, an entry each: another model is another entry."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml.catalogue import read_catalogue
from ml.propensity.candidates import GRID, Candidate
from ml.propensity.cohorts import AGE

CUSTOMER_KEYS = ("customer_id", "as_of_date")
OFFER_KEYS = ("customer_id", "campaign_id", "as_of_date")
RFM_FEATURES = ("days_since_last_order", "order_count", "total_spend")
RECENCY = "days_since_last_order"
# What an offer holds is known for those mailed only.
OFFER_TABLE = "feat_customer_offer"


@dataclass(frozen=True)
class Task:
    """A question with a yes or a no, about a customer at a date or about a customer and a campaign.

    Attributes
    ----------
    model_name : str
    family : str
        The name under which the feature catalogue lists what it learns from.
    label_table, label_column : str
        Where the answers stand; a null answer is none.
    says : str
        What the probability is one of: `unit` of the score rows.
    title : str
        For plots.
    is_per_offer : bool
        One row per customer and campaign mailed, as of its first day; else per customer and as-of date.
    horizon_days : int or None
        Length of the window. None: each row has its own (the label's `horizon_days`, or the campaign's end).
    spacing_days : int
        Dates that are learned from lie at least so far apart.
    judged_days : int
        So many days before the hold-out lies the date that calibrates: windows that end in between are judged. The same
        holds between the folds and it. Not for offers.
    event_column : str or None
        For offers: the day of the event, by which a label is cut at a split.
    entered_column : str or None
        For offers: the day from which a row is one of those asked about.
    type_column : str or None
        For offers: the kind of campaign, by which the base rate differs.
    recency_sign : int
        +1 if a longer silence speaks for yes, -1 if it speaks against it.
    required : tuple of str
        Features that have to be known for the model to speak of a customer.
    slice : str
        What all its judged rows are called.
    candidates : tuple of Candidate
    """

    model_name: str
    family: str
    label_table: str
    label_column: str
    says: str
    title: str
    is_per_offer: bool = False
    horizon_days: int | None = None
    spacing_days: int = 14
    judged_days: int = 14
    event_column: str | None = None
    entered_column: str | None = None
    type_column: str | None = None
    recency_sign: int = -1
    required: tuple[str, ...] = (RECENCY, AGE)
    slice: str = "all"
    candidates: tuple[Candidate, ...] = GRID

    @property
    def keys(self) -> tuple[str, ...]:
        """What names a row."""
        return OFFER_KEYS if self.is_per_offer else CUSTOMER_KEYS

    @property
    def numeric(self) -> tuple[str, ...]:
        """Names of its features that are numbers."""
        return read_catalogue().numbers_of(self.family)

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of its features that are words."""
        return read_catalogue().kinds_of(self.family)

    @property
    def customer_features(self) -> tuple[str, ...]:
        """Names of its numbers that are known of everybody, mailed or not."""
        return tuple(
            feature.name
            for feature in read_catalogue().of_model(self.family)
            if feature.is_number and feature.table != OFFER_TABLE
        )

    @property
    def label_columns(self) -> tuple[str, ...]:
        """What is needed of the label's table, besides the keys."""
        own = () if self.is_per_offer or self.horizon_days is not None else ("horizon_days",)
        of_offers = ("label_ends_on", self.event_column, self.entered_column) if self.is_per_offer else ()
        return (self.label_column, *own, *(name for name in of_offers if name is not None))


def purchase_within(days: int) -> Task:
    """The question whether a customer orders in the next `days` days."""
    return Task(
        model_name=f"purchase_propensity_{days}d",
        family="purchase_propensity",
        label_table="label_purchase_windows",
        label_column=f"has_purchased_{days}d",
        says=f"probability of an order within {days} days",
        title=f"Purchase in {days} days",
        horizon_days=days,
        spacing_days=max(days, 14),
        judged_days=days,
    )


CHURN = Task(
    model_name="churn_propensity",
    family="churn_propensity",
    label_table="label_churn",
    label_column="has_churned",
    says="probability of no order for several of the customer's usual pauses",
    title="Churn",
    # the shortest window of label_churn; of a date those customers are learned from whose own window had ended
    spacing_days=28,
    judged_days=56,
    recency_sign=1,
    # who bought once has no rhythm, and a window so long that its end is rarely seen
    required=(RECENCY, AGE, "median_days_between_orders"),
)

REDEMPTION = Task(
    model_name="redemption_propensity",
    family="redemption_propensity",
    label_table="label_redemption",
    label_column="has_redeemed",
    says="probability of redeeming a coupon of the campaign",
    title="Coupon redemption among those mailed",
    is_per_offer=True,
    event_column="first_redeemed_on",
    type_column="campaign_type",
    slice="mailed",
)

CLICK = Task(
    model_name="click_propensity",
    family="click_propensity",
    label_table="label_click",
    label_column="has_clicked",
    says="probability of a click in the campaign's e-mails, if one is delivered",
    title="Click among those whom an e-mail reached",
    is_per_offer=True,
    event_column="first_clicked_on",
    entered_column="first_delivered_on",
    type_column="campaign_type",
    slice="reached by e-mail",
)

TASKS: dict[str, Task] = {
    task.model_name: task
    for task in (purchase_within(7), purchase_within(14), purchase_within(28), CHURN, REDEMPTION, CLICK)
}


def families(tasks: Sequence[Task] = tuple(TASKS.values())) -> tuple[str, ...]:
    """The families of features that `tasks` learn from, each once."""
    return tuple(dict.fromkeys(task.family for task in tasks))
