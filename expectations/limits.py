"""Thresholds of the gates: every number that a gate compares with, its default and the reason for it.

A shop overrides single ones under `gates: <gate>: <name>` in its settings; this is the only place where a default
stands. Shares are 0..1, ratios 1 = equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shops.names import nearest


class LimitsError(ValueError):
    """A threshold in the settings is unknown or of the wrong kind; the message names the nearest valid one."""


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FreshnessLimits(_Limits):
    """Days that the newest row of a landing table may lie behind the newest row of the whole zone, both by known_at: a
    source that stopped while the others went on. None: not asked, because a quiet time is no fault of such a source."""

    orders: int | None = Field(14, ge=0)
    """As max_days_without_orders: a longer silence is a load that never came."""
    order_lines: int | None = Field(14, ge=0)
    """They come with the orders."""
    loyalty_members: int | None = Field(None, ge=0)
    """Often one snapshot from long ago; changes are rare."""
    products: int | None = Field(None, ge=0)
    """A range may stay as it is for months; products that are sold and not listed show in min_known_product_share."""
    campaigns: int | None = Field(None, ge=0)
    campaign_recipients: int | None = Field(None, ge=0)
    coupons: int | None = Field(None, ge=0)
    coupon_redemptions: int | None = Field(None, ge=0)
    """A shop may pause its campaigns, and then nobody redeems."""
    exchange_rates: int | None = Field(7, ge=0)
    """Banks publish on working days; with an older rate, today's orders are silently converted at last week's."""
    crm_contacts: int | None = Field(92, ge=0)
    """Among all customers of a shop somebody moves or signs up every month."""
    web_events: int | None = Field(3, ge=0)
    """Visitors come every day; after three without one, the tag or its export is broken."""
    email_events: int | None = Field(35, ge=0)
    """The slowest newsletter is a monthly one."""
    consent_events: int | None = Field(35, ge=0)
    """Where a banner asks, somebody answers every day; where only the newsletter does, every month. A withdrawal that
    did not arrive is somebody written to against their will."""
    support_tickets: int | None = Field(35, ge=0)
    """A month without a single ticket is a broken export."""
    survey_answers: int | None = Field(None, ge=0)
    """Surveys are run now and then."""
    external_attributes: int | None = Field(None, ge=0)
    """What others supply comes when they supply it."""


class LandingLimits(_Limits):
    """Volumes, freshness and ranges of what was landed."""

    min_orders: int = Field(100, ge=1)
    """Fewer orders cannot train a model; 200 households of the demo shop have 12,000."""
    max_days_since_last_order: int | None = Field(None, ge=0)
    """Days between the newest order and today, by the clock. None: not asked, right for a historical import; a shop
    that lands every day sets 2."""
    max_days_behind: FreshnessLimits = FreshnessLimits()
    """Freshness of each landing table against the whole zone."""
    max_days_without_orders: int = Field(14, ge=1)
    """Longest stretch inside the history without any order: a longer one is a load that never came."""
    min_known_buyer_share: float = Field(0.01, gt=0, le=1)
    """Orders with a loyalty_id / orders: without any there are sales, but no customers, features or segments. Most of a
    grocer's, three quarters of a web shop's; a till without cards maps what it knows people by."""
    min_order_coverage: float = Field(0.95, ge=0, le=1)
    """Orders that have lines / orders, and the other way round: below, one of the two tables is cut."""
    max_lines_per_order: float = Field(200, gt=0)
    """Mean. A till receipt has 9 lines in the demo shop."""
    min_median_line_amount: float = 0.01
    max_median_line_amount: float = 10_000
    """Median net amount of a sale line in shop currency; outside, the unit is wrong (cents, or thousands)."""
    max_negative_discount_share: float = Field(0.001, ge=0, le=1)
    """Discounts are positive by contract; a source that lands them negative does so in most lines."""
    min_known_product_share: float = Field(0.9, ge=0, le=1)
    """Lines whose product is in `products`, where products are landed: .997 in the demo shop. Ids that differ in
    their padding or prefix bring this to 0."""
    min_known_member_share: float = Field(0.5, ge=0, le=1)
    """Recipients and redemptions whose card has an order or a membership: ids of two systems that do not fit bring
    this to 0; a mailing to prospects keeps it below 1."""
    min_known_word_share: float = Field(0.95, ge=0, le=1)
    """Rows of events, consents and tickets whose kind is one of the contract's words: a source with words of its own
    (view instead of page, revoked instead of withdrawn) brings this to 0, and nothing of it would be staged."""
    min_visitor_share: float = Field(0.95, ge=0, le=1)
    """Web events that say which visitor they are of; without, they make no session."""


class StagingLimits(_Limits):
    """What came through staging, against what was landed."""

    min_staged_share: float = Field(0.99, ge=0, le=1)
    """Staged keys / landed keys of a table."""
    max_mean_shift: float = Field(0.02, gt=0)
    """Relative difference of the mean net amount, staged against landed, after cutting both at the landed .999
    quantile (so that an outlier sent to quarantine does not show). Staging changes no amount."""
    max_quarantine_share: float = Field(0.01, ge=0, le=1)
    """Rejected rows / landed rows, over all tables; the demo shop rejects none but duplicates."""
    max_table_quarantine_share: float = Field(0.05, ge=0, le=1)
    """The same for one table: small tables do not show in the share over all."""
    routine_reasons: tuple[str, ...] = ()
    """Further reasons in the quarantine that a shop holds for no fault, beside the repeats and earlier versions that
    the quarantine itself marks as routine."""


class IdentityLimits(_Limits):
    """Shape of the resolved customers."""

    min_customers_per_record: float = Field(0.15, gt=0, le=1)
    """Customers / source records; .16 in the demo shop with all of its sources. Gluing brings it towards 0."""
    max_records_per_customer: int = Field(250, ge=2)
    """Source records of the largest customer; whoever loses a cookie every week has a hundred a year, a shared e-mail
    address thousands."""
    max_p99_records_per_customer: float = Field(60, ge=1)
    """99% of the customers have no more source records than this."""
    min_resolved_share: float = Field(0.9, ge=0, le=1)
    """Source records that are not set aside as a bot's or a test account's."""
    min_indexed_share: float = Field(0.999, ge=0, le=1)
    """Source records that are not set aside and have a customer."""
    max_conflict_share: float = Field(0.02, ge=0, le=1)
    """Customers whose records name two people or birth dates and are held together by sure evidence all the same."""
    max_merged_share: float = Field(0.1, ge=0, le=1)
    """Customers of the last promoted run that are merged into another now; a rule gone wild merges most."""
    max_lost_ids: int = Field(0, ge=0)
    """Customer ids that nobody has any more and that lead to no other, though the record of their name is there."""
    min_linked_share: float = Field(0.01, ge=0, le=1)
    """Customers known from more than one source, where there is more than one: 0 means that nothing matched."""
    min_mean_confidence: float = Field(0.8, ge=0, le=1)
    """Mean match confidence of the current records."""


class SourceAgeLimits(_Limits):
    """Days from the last day of a source to the current as-of date. None: not asked, because a quiet time is no fault
    of such a source, or because it has no day (products, loyalty_members)."""

    orders: int | None = Field(14, ge=1)
    """As landing.max_days_without_orders. The current as-of date is the day after the last order; where a later one is
    asked for, features of so long ago would be taken for today's."""
    order_lines: int | None = Field(14, ge=1)
    """They come with the orders."""
    web_events: int | None = Field(7, ge=1)
    """The landing gate allows 3 days between loads; after a week of silence every 7d window is empty."""
    email_events: int | None = Field(35, ge=1)
    """The slowest newsletter is a monthly one."""
    crm_contacts: int | None = Field(92, ge=1)
    """Among all customers of a shop somebody moves or signs up every month."""
    loyalty_members: int | None = Field(None, ge=1)
    products: int | None = Field(None, ge=1)
    campaigns: int | None = Field(None, ge=1)
    campaign_recipients: int | None = Field(None, ge=1)
    coupons: int | None = Field(None, ge=1)
    coupon_redemptions: int | None = Field(None, ge=1)
    """A shop may pause its campaigns, and then nobody redeems."""
    survey_answers: int | None = Field(None, ge=1)
    """Surveys are run now and then."""
    external_attributes: int | None = Field(None, ge=1)


class FeaturesLimits(_Limits):
    """Coverage and distributions of features and labels."""

    min_as_of_dates: int = Field(8, ge=1)
    """Fewer as-of dates leave no room for a split by time: train, validation, test and a gap between them."""
    min_population_share: float = Field(0.999, ge=0, le=1)
    """Customers with features at the current as-of date / customers with an order before it."""
    max_spend_shift: float = Field(0.001, gt=0)
    """Relative difference of the features' total spend from the orders' total; only rounding is allowed."""
    max_fall_between_dates: float = Field(0.05, ge=0, lt=1)
    """Customers and total spend accumulate from one as-of date to the next; only returns may lower them a little."""
    min_label_share: float = Field(0.002, ge=0, le=1)
    max_label_share: float = Field(0.98, ge=0, le=1)
    """Share of positive labels: outside, a model has nothing to learn from."""
    max_missing_share: float = Field(0.995, ge=0, le=1)
    """Nulls of one feature, as a warning: nearly always null means that its input is gone."""
    max_source_age_days: SourceAgeLimits = SourceAgeLimits()
    """Orders and their lines stop the run; of another source that went silent the gate warns."""
    sources_never_landed: tuple[str, ...] = ("external_attributes",)
    """Sources that this shop does not have and knows it: that their features are null is no news. What others supply,
    few shops buy."""
    false_alarm_rate: float = Field(0.05, gt=0, lt=1)
    """Chance that a run without any fault raises the shift alarm, and that it raises the leak alarm, each over all
    features together."""
    max_customers_compared: int = Field(20_000, ge=100)
    """More add cost and no insight: with so many, a share of customers is known within .005."""
    shift_pairs: int = Field(4, ge=2)
    """Pairs of neighboring scheduled as-of dates that say what pace is usual; a month of weeks."""
    min_shift: float = Field(0.1, gt=0)
    """Share of customers that left the usual pace of a feature, as a warning. In 40 weeks of the demo shop, features
    that no mailing moves passed it twice (.11)."""
    max_shift: float = Field(0.25, gt=0)
    """The same, and the run stops."""
    shifts_of_own_doing: tuple[str, ...] = ("feat_customer_campaign", "feat_customer_email")
    """Feature tables that shift when the shop mails a campaign, by up to .6 in the demo shop: a warning only. Without
    these, 8 of the 40 weeks would have stopped."""
    suspicious_label_auc: float = Field(0.9, gt=0.5, le=1)
    """ROC-AUC of one feature alone for a label, lower bound, as a warning. Honest features of the demo shop come to
    .81, a 28d window that reaches 14 days beyond its date to .93. Where customers order by subscription, honest ones
    may come to it."""
    max_label_auc: float = Field(0.97, gt=0.5, le=1)
    """The same, and the run stops: days since an order that was counted 14 days beyond the date come to 1."""
    max_label_correlation: float = Field(0.97, gt=0, le=1)
    """Absolute rank correlation of one feature with an amount to come, lower bound; .63 in the demo shop."""
    min_label_cases: int = Field(30, ge=10)
    """Fewer customers with (or without) the label say too little of a feature."""


class ScoresLimits(_Limits):
    """What the models may say."""

    min_population_share: float = Field(0.999, ge=0, le=1)
    """Scored customers / customers with features at the current as-of date."""
    min_spread: float = Field(0.005, gt=0)
    """Standard deviation of a probability over the customers; a constant score is 0."""
    max_base_rate_odds_ratio: float = Field(3.0, gt=1)
    """Odds of the mean probability / odds of the base rate of its label, and the inverse. Calibrated models stay near
    1 (.6 to 1.2 in the demo shop); the season and the choice of campaigns move it."""
    labels: dict[str, str] = {
        "purchase_propensity_7d": "features.label_purchase_windows.has_purchased_7d",
        "purchase_propensity_14d": "features.label_purchase_windows.has_purchased_14d",
        "purchase_propensity_28d": "features.label_purchase_windows.has_purchased_28d",
        "churn_propensity": "features.label_churn.has_churned",
        "redemption_propensity": "features.label_redemption.has_redeemed",
        "click_propensity": "features.label_click.has_clicked",
    }
    """Label whose base rate the mean score of a model is held against: how the model's name begins, to
    schema.table.column."""
    min_model_share: float = Field(0.5, ge=0, le=1)
    """Scores that come from a model and not from a fallback."""
    min_roc_auc: float = 0.52
    """Champion on its hold-out; no better than chance must not be scored with."""
    max_roc_auc: float = 0.995
    """Too good: the label has leaked into the features."""
    min_judged_positives: int = Field(20, ge=1)
    """Fewer positive (or negative) rows in the hold-out say nothing about a ROC-AUC."""
    min_clusters: int = Field(2, ge=1)
    max_clusters: int = Field(20, ge=2)
    """More groups than anybody can act on."""
    max_cluster_share: float = Field(0.9, gt=0, le=1)
    """One cluster with nearly everybody says nothing."""


class SegmentsLimits(_Limits):
    """Sizes of segments."""

    min_segments: int = Field(2, ge=1)
    """Segments that have members."""
    min_covered_share: float = Field(0.5, ge=0, le=1)
    """Customers with features now that are in at least one segment; clusters alone cover everybody."""
    max_segment_share: float = Field(0.97, gt=0, le=1)
    """Customers in one rule segment: one that holds nearly everybody is a broken threshold."""
    max_share_change: float = Field(0.02, ge=0)
    """Change of a segment's share of the customers from one week to the next that always passes."""
    change_spreads: float = Field(6.0, ge=0)
    """Beyond that, standard deviations of the share: of 2,700 customers a tenth may change by another .034. The most
    that any rule of the demo shop changed in 40 weeks is half of both together."""
    min_representation: float = Field(0.5, ge=0, le=1)
    """A demographic group's share of the members against its share of all customers; its whole interval lies beyond."""
    max_representation: float = Field(2.0, ge=1)
    representation_stops: bool = False
    """Whether a group beyond these bounds stops the run; else it is a warning."""


class MartsLimits(_Limits):
    """What is published, against what was staged."""

    max_total_difference: float = Field(0.01, ge=0)
    """Total sales in shop currency, marts against staging."""
    max_inferred_product_share: float = Field(0.2, ge=0, le=1)
    """Products that were sold but are not in the product file; 17 of 92,348 in the demo shop."""
    required_tables: tuple[str, ...] = (
        "dim_customers",
        "dim_dates",
        "dim_products",
        "dim_segments",
        "fct_order_lines",
        "fct_orders",
        "fct_scores",
        "fct_segment_memberships",
        "rpt_model_performance",
        "rpt_segment_summary",
    )
    """Published tables that may not be empty; the others depend on optional sources."""


class Limits(_Limits):
    """Thresholds of all gates."""

    landing: LandingLimits = LandingLimits()
    staging: StagingLimits = StagingLimits()
    identity: IdentityLimits = IdentityLimits()
    features: FeaturesLimits = FeaturesLimits()
    scores: ScoresLimits = ScoresLimits()
    segments: SegmentsLimits = SegmentsLimits()
    marts: MartsLimits = MartsLimits()


def read_limits(settings: Mapping[str, Any]) -> Limits:
    """Thresholds of a shop: the defaults with what stands under `gates` over them.

    Raises
    ------
    LimitsError
        A gate or threshold is unknown, or a value of the wrong kind.
    """
    try:
        return Limits.model_validate(settings.get("gates") or {})
    except ValidationError as error:
        raise LimitsError("; ".join(_explained(dict(problem)) for problem in error.errors())) from error


def _explained(problem: dict[str, Any]) -> str:
    path = [str(part) for part in problem["loc"]]
    where = ".".join(["gates", *path])
    if problem["type"] != "extra_forbidden":
        return f"settings: {where}: {problem['msg']}"
    section: BaseModel = Limits()
    for name in path[:-1]:
        section = getattr(section, name)
    known = list(type(section).model_fields)
    return f"settings: {where} is unknown; did you mean {nearest(path[-1], known)}?"
