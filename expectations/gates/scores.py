"""Scores gate: every customer has a score that may be believed, and the clusters divide them."""

from __future__ import annotations

from expectations.checks import Check, Suite, each_between, measure, no_rows
from expectations.gates import Scope

SCORES = "scores.int_scores__scores"
PERFORMANCE = "scores.int_scores__model_performance"
VERSIONS = "scores.int_scores__model_versions"
CHAMPIONS = "scores.int_scores__model_champions"
CLUSTERS = "scores.int_scores__customer_clusters"
CLUSTER_CATALOG = "scores.int_scores__clusters"
RFM = "features.feat_customer_rfm"
AS_OF_DATES = "features.int_as_of_dates"
NOW = f"(select max(as_of_date) from {AS_OF_DATES} where is_current)"


def suites(scope: Scope) -> list[Suite]:
    """Checks of scores, hold-out figures and clusters."""
    found = [
        _present(),
        _ranges(),
        _provenance(),
        _models(scope),
        _performance(scope),
        _clusters(scope),
        _cluster_sizes(),
        _micro_segments(),
    ]
    return found + [
        suite for model, label in scope.limits.scores.labels.items() for suite in _base_rate(scope, model, label)
    ]


def _present() -> Suite:
    query = f"""
        select
            (select count(distinct model_name) from {SCORES}) as model_count,
            (
                -- What was never promoted is a fallback, which is no champion of anything.
                select count(*) from {CHAMPIONS} as champions
                anti join (select * from {PERFORMANCE} where is_champion) using (model_name, model_version)
                where champions.is_champion and not champions.is_fallback
            ) as champions_without_figures,
    """
    checks = (
        measure("model_count", 1, None, "number of models that score"),
        measure("champions_without_figures", 0, 0, "champions without a figure on their hold-out"),
    )
    return Suite("present", SCORES, checks, query, (SCORES, PERFORMANCE, CHAMPIONS))


def _provenance() -> Suite:
    """Which model gave the scores: one that is known, with its features, and now the champion."""
    query = f"""
        select
            scores.model_name,
            scores.as_of_date,
            scores.campaign_id,
            scores.model_version,
            scores.feature_schema_hash,
            any_value(versions.model_version) as known_version,
            any_value(versions.feature_schema_hash) as hash_of_version,
            any_value(champions.model_version) as champion_version,
            count(*) as score_count,
        from {SCORES} as scores
        left join {VERSIONS} as versions
            on scores.model_name = versions.model_name and scores.model_version = versions.model_version
        left join {CHAMPIONS} as champions on scores.model_name = champions.model_name and champions.is_champion
        group by all
        order by all
    """
    now = f"as_of_date >= {NOW}"
    checks = (
        no_rows(
            "known_version is null", "every score is from a model that is known", "known", "model_version", "model_name"
        ),
        no_rows(
            "known_version is not null and feature_schema_hash is distinct from hash_of_version",
            "scores name the features of their model", "the hash of the version", "feature_schema_hash", "model_name",
        ),
        no_rows(
            f"champion_version is not null and model_version <> champion_version and {now}",
            "scores of now are the champion's", "the champion", "model_version", "model_name",
        ),
    )  # fmt: skip
    return Suite("provenance", SCORES, checks, query, (SCORES, VERSIONS, CHAMPIONS, AS_OF_DATES))


def _ranges() -> Suite:
    query = f"select customer_id, as_of_date, model_name, campaign_id, score, score_kind, fallback_tier from {SCORES}"
    probability = "score_kind <> 'probability' or score between 0 and 1"
    money = "score_kind <> 'money' or score >= 0"
    index = "score_kind <> 'index' or score between 0 and 100"
    checks = (
        no_rows(f"not ({probability})", "probabilities lie between 0 and 1", "between 0 and 1", "score"),
        no_rows(f"not ({money})", "money is not negative", "at least 0", "score"),
        no_rows(f"not ({index})", "indexes lie between 0 and 100", "between 0 and 100", "score"),
        no_rows("score is null or isnan(score) or isinf(score)", "scores are finite numbers", "a number", "score"),
    )
    return Suite("ranges", SCORES, checks, query, (SCORES,))


def _models(scope: Scope) -> Suite:
    """One row a model, of its newest as-of date; a score per campaign has no population of its own."""
    limits = scope.limits.scores
    query = f"""
        with population as (select count(*) as customers_now from {RFM} where as_of_date = {NOW}),
        newest as (
            select * from {SCORES}
            qualify as_of_date = max(as_of_date) over (partition by model_name) or campaign_id is not null
        )
        select
            model_name,
            max(as_of_date) as newest_as_of_date,
            count(*) as score_count,
            count(distinct customer_id) as customers,
            any_value(customers_now) as customers_now,
            round(min(score), 6) as lowest,
            round(avg(score), 6) as mean_score,
            round(max(score), 6) as highest,
            round(coalesce(stddev_pop(score), 0), 6) as spread,
            round(avg((fallback_tier = 'model')::integer), 6) as model_share,
            any_value(score_kind) as score_kind,
            bool_or(campaign_id is not null) as is_per_campaign,
            case when not is_per_campaign then {NOW} - max(as_of_date) else 0 end as days_behind,
            case when not is_per_campaign then round(customers / nullif(any_value(customers_now), 0), 6) end
                as population_share,
            case when not is_per_campaign then round(count(*) / count(distinct (customer_id, model_version)), 6) end
                as scores_per_customer,
        from newest, population group by model_name order by model_name
    """
    probability = "score_kind = 'probability' and score_count > 1"
    checks: list[Check] = [
        no_rows(
            # A documented fallback gives everybody the base rate: that is told below, and no fault.
            f"{probability} and model_share > 0 and spread < {limits.min_spread}",
            "probabilities differ between customers (standard deviation)",
            f"at least {limits.min_spread:g}",
            "score",
            named_by="model_name",
        ),
        each_between(
            "population_share",
            limits.min_population_share,
            1.0,
            "scored customers / customers now",
            named_by="model_name",
        ),
        each_between(
            "scores_per_customer", None, 1.0, "scores a customer, of each model version", named_by="model_name"
        ),
        each_between(
            "days_behind", 0, 0, "newest scores are of the current as-of date (days behind)", named_by="model_name"
        ),
        each_between(
            "model_share",
            limits.min_model_share,
            None,
            "share of scores from a model, not from a fallback",
            named_by="model_name",
        ).as_warning(),
    ]
    return Suite("models", SCORES, tuple(checks), query, (SCORES, RFM, AS_OF_DATES))


def _base_rate(scope: Scope, model: str, label: str) -> list[Suite]:
    """Hold the mean probability of a model against how often its label was positive, as odds."""
    table, _, column = label.rpartition(".")
    if not scope.catalog.has_rows(table):
        return []
    limit = scope.limits.scores.max_base_rate_odds_ratio
    query = f"""
        with scored as (
            select model_name, avg(score) as mean_score from {SCORES}
            where starts_with(model_name, '{model}') and score_kind = 'probability' group by model_name
        ),
        labels as (select avg({column}::double) as base_rate from {table})
        select
            model_name,
            round(mean_score, 6) as mean_score,
            round(base_rate, 6) as base_rate,
            round(mean_score * (1 - base_rate) / nullif((1 - mean_score) * base_rate, 0), 6) as odds_ratio,
        from scored, labels
    """
    label_text = f"odds of the mean score of {model} / odds of the base rate of {column}"
    check = each_between("odds_ratio", round(1 / limit, 6), limit, label_text, named_by="model_name")
    return [Suite(f"base_rate_{model}", SCORES, (check,), query, (SCORES,))]


def _performance(scope: Scope) -> Suite:
    limits = scope.limits.scores
    query = f"""
        select distinct model_name, model_version, as_of_date, slice, metric, value, rows, positives
        from {PERFORMANCE} where is_champion and lower(metric) = 'roc_auc'
            and positives >= {limits.min_judged_positives} and rows - positives >= {limits.min_judged_positives}
        -- A small slice may do worse by chance: the largest one counts.
        qualify rows = max(rows) over (partition by model_name, model_version)
        order by all
    """
    check = each_between(
        "value",
        limits.min_roc_auc,
        limits.max_roc_auc,
        "ROC-AUC of the champion on its hold-out",
        named_by="model_name",
    )
    return Suite("performance", PERFORMANCE, (check,), query, (PERFORMANCE,))


def _clusters(scope: Scope) -> Suite:
    limits = scope.limits.scores
    query = f"""
        with population as (select count(*) as customers_now from {RFM} where as_of_date = {NOW}),
        clusters as (
            select cluster_key, count(*) as members from {CLUSTERS}
            where as_of_date = {NOW} and level = 'broad' group by cluster_key
        )
        select
            count(cluster_key) as cluster_count,
            any_value(customers_now) as customers_now,
            sum(members) as members,
            round(coalesce(max(members) / sum(members), 1), 6) as largest_share,
            round(coalesce(sum(members), 0) / nullif(any_value(customers_now), 0), 6) as population_share,
        from clusters right join population on true
        """
    sizes = f"""
        select as_of_date, cluster_key, any_value(cluster_name) as cluster_name, count(*) as members
        from {CLUSTERS} where level = 'broad' group by all order by as_of_date desc, members desc
    """
    return Suite(
        "clusters",
        CLUSTERS,
        (
            measure("population_share", limits.min_population_share, 1.0, "clustered customers / customers now", sizes),
            measure("cluster_count", limits.min_clusters, limits.max_clusters, "number of clusters", sizes),
            measure(
                "largest_share", None, limits.max_cluster_share, "share of customers in the largest cluster", sizes
            ),
        ),
        query,
        (CLUSTERS, RFM, AS_OF_DATES),
    )


def _cluster_sizes() -> Suite:
    query = f"select level, cluster_key, cluster_name, member_count, size_floor from {CLUSTER_CATALOG}"
    check = no_rows("member_count < size_floor", "no cluster is below its floor", "folded", "member_count")
    return Suite("cluster_sizes", CLUSTER_CATALOG, (check,), query, (CLUSTER_CATALOG,))


def _micro_segments() -> Suite:
    """Micro-segments lie within their broad cluster, at every date."""
    query = f"""
        select micro.customer_id, micro.as_of_date, micro.cluster_key, broad.cluster_key as broad_key
        from {CLUSTERS} as micro
        left join {CLUSTERS} as broad
            on micro.customer_id = broad.customer_id and micro.as_of_date = broad.as_of_date
            and micro.model_name = broad.model_name and broad.level = 'broad'
        where micro.level = 'micro'
    """
    outside = "broad_key is null or not starts_with(cluster_key, broad_key || '.')"
    check = no_rows(outside, "a micro-segment lies within its broad cluster", "within", "cluster_key")
    return Suite("micro_segments", CLUSTERS, (check,), query, (CLUSTERS,))
