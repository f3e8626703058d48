"""A shop's settings: the shipped defaults with the shop's own keys over them, checked before anything runs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shops.folders import PROJECT_ROOT, ShopFolders
from shops.names import checked_zone

# Under these a key is the name of a model, which a company may have made itself.
_BY_MODEL = ("goals.conversion.precision.", "goals.retention.recall.", "goals.upsell.recall.", "goals.budget.people.")

DEFAULTS_FILE = PROJECT_ROOT / "shops" / "defaults.yml"


class SettingsError(ValueError):
    """A settings file names a key or a value that the project does not know."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShopSection(_Section):
    title: str | None
    business_timezone: str
    reporting_currency: str = Field(pattern="^[A-Z]{3}$")

    @field_validator("business_timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        return checked_zone(value)


class SourceSection(_Section):
    adapter: str | None
    synthetic_overlay: bool
    overlay_seed: int = Field(ge=0)


class OutliersSection(_Section):
    price_factor: float = Field(gt=1)
    quantity_factor: float = Field(gt=1)
    min_product_lines: int = Field(ge=2)
    quantity_quantile: float = Field(gt=0, lt=1)


class StagingSection(_Section):
    max_hours_after_arrival: int = Field(ge=0)
    outliers: OutliersSection


class BotsSection(_Section):
    evidence_needed: float = Field(gt=0)
    evidence_of_login: float = Field(ge=0)
    evidence_of_order: float = Field(ge=0)
    most_pace: float = Field(ge=0)
    most_timetable: float = Field(ge=0)
    most_volume: float = Field(ge=0)
    most_hurry: float = Field(ge=0)
    most_restless: float = Field(ge=0)
    most_oddness: float = Field(ge=0)
    most_breadth: float = Field(ge=0)
    most_repetition: float = Field(ge=0)
    most_filling: float = Field(ge=0)
    most_cookies: float = Field(ge=0)
    most_turns: float = Field(ge=0)
    most_arrivals: float = Field(ge=0)
    oddness_weight: float = Field(ge=0, le=1)
    known_people_days: int = Field(ge=1)
    busy_events: int = Field(ge=2)
    passing_events: int = Field(ge=1)
    crowd_visitors: int = Field(ge=2)
    crowd_events: int = Field(ge=2)


class WebSection(_Section):
    session_idle_minutes: int = Field(ge=1)
    new_campaign_starts_session: bool
    late_after_minutes: int = Field(ge=1)
    max_minutes_ahead: int = Field(ge=0)
    bots: BotsSection


class NormalizationSection(_Section):
    default_region: str = Field(pattern="^[A-Z]{2}$")
    email_ignores_plus_tag: bool
    email_ignores_dots_at: list[str]
    min_age_years: int = Field(ge=0)
    max_age_years: int = Field(ge=1)
    max_age_band_gap_years: int = Field(ge=0)
    city_min_contacts: int = Field(ge=2)
    city_min_share: float = Field(gt=0.5, le=1)
    machine_open_seconds: int = Field(ge=0)
    machine_user_agents: list[str]
    test_account_patterns: list[str]

    @field_validator("machine_user_agents", "test_account_patterns")
    @classmethod
    def _are_patterns(cls, values: list[str]) -> list[str]:
        for value in values:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"'{value}' is not a regular expression: {error}") from error
            if "\\" in value or "(?" in value:
                raise ValueError(f"'{value}' has a backslash or (?, which engines read differently; write [.] or [0-9]")
        return values


class OneCustomerSection(_Section):
    loyalty_ids: int | None = Field(ge=1)
    logins: int | None = Field(ge=1)
    brands: int | None = Field(ge=1)


class LinkageSection(_Section):
    min_probability: float = Field(gt=0, le=1)
    review_probability: float = Field(gt=0, le=1)
    max_pairs_per_rule: int = Field(ge=1)


class IdentitySection(_Section):
    max_records_per_identifier: int = Field(ge=2)
    max_records_per_customer: int = Field(ge=2)
    one_customer_has: OneCustomerSection
    bridge_min_records: int = Field(ge=2)
    trust: list[str]
    linkage: LinkageSection


class TimeSection(_Section):
    as_of_date: date | None


class FeaturesSection(_Section):
    as_of_step_days: int = Field(ge=1)
    min_history_days: int = Field(ge=1)
    retention_days: int | None = Field(ge=1)
    taste_level: Literal["department", "product_category"]
    min_region_customers: int = Field(ge=1)
    identity_basis: Literal["current", "as_known"]


class PurchaseSection(_Section):
    horizon_days: int = Field(ge=1)
    test_as_of_date: date | None


class ReadinessSection(_Section):
    horizon_days: int = Field(ge=1)


class ChurnSection(_Section):
    test_as_of_date: date | None
    test_until_date: date | None
    gap_multiple: float = Field(gt=0)
    min_horizon_days: int = Field(ge=1)
    max_horizon_days: int = Field(ge=1)


class NextCategorySection(_Section):
    horizon_days: int = Field(ge=1)


class RedemptionSection(_Section):
    test_from_date: date | None
    test_until_date: date | None


class ClickSection(_Section):
    test_from_date: date | None
    test_until_date: date | None


class TrainingSection(_Section):
    search_fits: int = Field(ge=1)
    search_rows: int = Field(ge=1)
    fit_rows: int = Field(ge=1)
    judged_rows: int = Field(ge=1)


class LifetimeValueSection(_Section):
    horizons_days: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)
    yearly_discount: float = Field(ge=0)
    test_as_of_date: date | None

    @field_validator("horizons_days")
    @classmethod
    def _rise(cls, values: list[int]) -> list[int]:
        if sorted(set(values)) != values:
            raise ValueError(f"{values} must rise: each horizon once, the shortest first")
        return values


class MonitoringMarginsSection(_Section):
    log_loss: float = Field(ge=0)
    roc_auc: float = Field(ge=0, le=0.5)
    calibration_intercept: float = Field(ge=0)


class MonitoringDriftSection(_Section):
    false_alarm_rate: float = Field(gt=0, lt=1)
    min_feature_effect: float = Field(ge=0, le=1)
    min_score_effect: float = Field(ge=0, le=1)


class MonitoringSection(_Section):
    alarm_rate: float = Field(gt=0, lt=1)
    margins: MonitoringMarginsSection
    drift: MonitoringDriftSection
    max_age_days: int | None = Field(ge=1)
    min_days_between_trainings: int = Field(ge=1)
    judged_until_date: date | None


class ClusterDriftSection(_Section):
    false_alarm_rate: float = Field(gt=0, lt=1)
    min_feature_effect: float = Field(ge=0, le=1)
    min_segment_effect: float = Field(ge=0, le=1)
    choose_factor: float = Field(ge=1)


class ClusterMergeSection(_Section):
    max_shared: float = Field(gt=0, le=1)
    purchase_rate: float = Field(gt=0, lt=1)
    spend: float = Field(gt=0)


class ClustersSection(_Section):
    min_members: int = Field(ge=2)
    scaling: Literal["power", "z_score", "min_max", "robust"]
    components: int | float | None = Field(gt=0)
    algorithms: list[Literal["k_means", "ward", "gaussian_mixture", "hdbscan", "dbscan"]] = Field(min_length=1)
    max_clusters: int = Field(ge=2)
    max_micro_clusters: int = Field(ge=1)
    anchor: float = Field(ge=0)
    max_inertia_loss: float = Field(ge=0)
    history_dates: int = Field(ge=0)
    drift: ClusterDriftSection
    merge: ClusterMergeSection


class ModelsSection(_Section):
    purchase: PurchaseSection
    readiness: ReadinessSection
    churn: ChurnSection
    next_category: NextCategorySection
    redemption: RedemptionSection
    click: ClickSection
    training: TrainingSection
    lifetime_value: LifetimeValueSection
    monitoring: MonitoringSection
    clusters: ClustersSection


_Share = Annotated[float, Field(gt=0, le=1)]


class PrecisionGoal(_Section):
    precision: dict[str, _Share | None]


class RecallGoal(_Section):
    recall: dict[str, _Share | None]


class BudgetGoal(_Section):
    people: dict[str, Annotated[int, Field(ge=1)] | None]


class ProfitGoal(_Section):
    models: list[str]
    unit_cost: float | None = Field(ge=0)
    margin: float | None = Field(ge=0)


class GoalsSection(_Section):
    """Campaign goals; each names models, as no wish suits all of them."""

    conversion: PrecisionGoal
    retention: RecallGoal
    upsell: RecallGoal
    budget: BudgetGoal
    profit: ProfitGoal


class SegmentsSection(_Section):
    names: dict[str, str]
    threshold_form: Literal["absolute", "relative"]
    not_informative_share: float = Field(gt=0, le=1)
    min_members: int = Field(ge=1)
    represented_by: list[str]
    rules: dict[str, dict[str, int | float | str | None]]


_FIVE_FIELDS = r"^\S+( +\S+){4}$"


class OperationsSection(_Section):
    owners: list[Annotated[str, Field(pattern=r"^(team:.+|[^@\s]+@[^@\s]+[.][^@\s]+)$")]] = Field(min_length=1)
    refresh_cron: str = Field(pattern=_FIVE_FIELDS)
    retrain_cron: str = Field(pattern=_FIVE_FIELDS)
    settled_seconds: int = Field(ge=0)
    max_hours_since_run: int = Field(ge=1)
    max_days_since_order: int | None = Field(ge=0)


class Settings(_Section):
    """Everything a shop can set.

    `segments.rules` and `gates` also take a shop's own thresholds, `goals` a shop's own models.
    """

    shop: ShopSection
    source: SourceSection
    staging: StagingSection
    web: WebSection
    normalization: NormalizationSection
    identity: IdentitySection
    time: TimeSection
    features: FeaturesSection
    models: ModelsSection
    goals: GoalsSection
    segments: SegmentsSection
    operations: OperationsSection
    gates: dict[str, Any]


def load_settings(shop: str | None = None) -> Settings:
    """The settings of `shop` (default: the current shop).

    Raises
    ------
    SettingsError
        The shop has no folder, or a file has an unknown key or a value of the wrong kind; the message names the file,
        the key and the nearest valid name.
    """
    folders = ShopFolders.of(shop)
    if not folders.own.is_dir():
        known = sorted(path.name for path in folders.own.parent.iterdir() if (path / "settings.yml").exists())
        raise SettingsError(
            f"there is no shop '{folders.shop}': {folders.own} does not exist. Known shops: {', '.join(known)}. "
            f"Next: make the folder with a settings.yml, or choose one with SHOP=<name>."
        )
    own_file = folders.own / "settings.yml"
    defaults = _read(DEFAULTS_FILE)
    own = _read(own_file) if own_file.exists() else {}
    _refuse_unknown_keys(own, _with_forms(defaults), own_file)
    try:
        return Settings.model_validate(_merged(defaults, own))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"{own_file}: {problems}. Next: correct the value; {DEFAULTS_FILE} shows each key."
        ) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is not valid YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{file} must hold keys and values, not a {type(content).__name__}")
    return content


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both_maps = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = _merged(base[key], value) if both_maps else value
    return merged


def _with_forms(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with the key `form` in each rule: any of them can say which form of its thresholds holds."""
    rules = {name: {**thresholds, "form": None} for name, thresholds in defaults["segments"]["rules"].items()}
    return _merged(defaults, {"segments": {"rules": rules}})


def _refuse_unknown_keys(own: Mapping[str, Any], known: Mapping[str, Any], file: Path, path: str = "") -> None:
    for key, value in own.items():
        name = f"{path}{key}"
        if key not in known:
            near = _nearest(key, known)
            # A new rule or name is the shop's own, but one letter off a shipped one is a slip.
            is_free = path.startswith("gates.") or path in ("segments.rules.", "segments.names.", *_BY_MODEL)
            if not is_free or near is not None:
                hint = f"; did you mean '{path}{near}'?" if near else f". Known here: {', '.join(sorted(known))}"
                raise SettingsError(f"{file}: unknown key '{name}'{hint}")
        elif isinstance(value, Mapping) and isinstance(known[key], Mapping):
            _refuse_unknown_keys(value, known[key], file, f"{name}.")


def _nearest(word: str, known: Any) -> str | None:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.85)
    return found[0] if found else None
