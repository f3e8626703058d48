"""What records say, without labels, of how often records of one person agree and how often those of strangers do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ml.linkage import engine
from ml.linkage.blocking import CHANGED, PAIRS, SizedRule, block, key_sql, person_rules, sized
from ml.linkage.comparisons import Comparison, person_comparisons, splink_comparison, valued_levels
from ml.linkage.engine import NUMBER, TABLE, LinkageError
from ml.linkage.model import LinkageModel
from ml.linkage.scoring import moved_sql, note_frequencies, splink_weights, with_frequencies
from ml.linkage.settings import KEY, LinkageSettings

Floats = npt.NDArray[np.float64]

# Digits that a trained share keeps: the last ones depend on the order of sums.
_DIGITS = 6
# So many pairs of one person weigh as much as what is believed before anything is learnt.
_BELIEVED_PAIRS = 20.0
# A column of which so many values are one record's own is a number of a person rather than a trait.
_NUMBER_SHARE = 0.3
# Learnt bounds are kept off certainty: nobody can learn from unlabelled records that a rule never errs.
_MAX_HOUSEHOLD_WEIGHT = 8.0
_MAX_SHARED_PROBABILITY = 0.99
_MIN_SESSION_PAIRS = 30
# More tell hardly more: they are pairs of the same few records.
_RANDOM_PAIRS_A_RECORD = 100
_ROUNDS = 50


def train(
    records: pd.DataFrame | pa.Table,
    settings: LinkageSettings | None = None,
    seed: int = 0,
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> LinkageModel:
    """Learn a linkage from records, without labels.

    How often strangers agree (u) is counted on random pairs; how often records of one person do (m) is estimated by
    expectation maximisation (Fellegi & Sunter 1969; Splink) on pairs that agree in a name and the birth date, so that
    they are no members of one household, who agree in much else. How many pairs are of one person at all, and how many
    of those that agree in all that a household shares, is estimated on the pairs that blocking makes.

    Parameters
    ----------
    records : DataFrame or Table
        One row a record: `record_key` (unique) and the columns of the settings; each may be absent or null.
    settings : LinkageSettings, optional
        Further columns, bounds; defaults if not given.
    seed : int
        Of the samples.
    threads, memory_limit
        Of DuckDB; its own defaults if not given. The model does not depend on them.

    Returns
    -------
    LinkageModel

    Raises
    ------
    LinkageError
        `record_key` is missing, null or not unique; or no column says anything.
    """
    settings = settings or LinkageSettings()
    table = engine.as_arrow(records, settings)
    with engine.opened(threads, memory_limit) as api:
        engine.give(api, table)
        engine.load(api, settings)
        return _Training(api, settings, seed).model()


class _Training:
    """One training over the loaded records; the steps in the order of `model`."""

    def __init__(self, api: Any, settings: LinkageSettings, seed: int) -> None:
        self.api, self.con = api, api.duckdb_con
        self.settings, self.seed = settings, seed
        self.dropped: dict[str, str] = {}
        self.records = self._number(f"select count(*) from {TABLE}")

    def model(self) -> LinkageModel:
        present, identifying = self._columns()
        comparisons = person_comparisons(self.settings, present, identifying)
        rules = sized(self.api, person_rules(self.settings, present), self.settings)
        self.dropped.update({f"rule: {rule.name}": rule.reason for rule in rules if rule.reason})
        frequencies = self._frequencies(comparisons)
        u = self._u(comparisons)
        m, shared, sessions = self._m(comparisons, u, identifying)
        draft = LinkageModel(
            columns=present,
            comparisons=self._splink(comparisons, m, u),
            personal=tuple(one.name for one in comparisons if one.is_personal),
            prior_weight=-math.log2(max(self.records, 2)),
            household_weight=_MAX_HOUSEHOLD_WEIGHT,
            frequencies=frequencies,
            rules=tuple(rules),
            threshold=self.settings.threshold,
            dropped=self.dropped,
        )
        share = self._note_sample(rules)
        sampled, _ = block(self.api, rules, changed_only=share < 1, just_sized=True)
        draft = self._with_priors(draft, share)
        if shared:
            u = self._u_of_numbers(comparisons, m, u, shared, draft.prior_weight)
            draft = replace(draft, comparisons=self._splink(comparisons, m, u),
                            frequencies=self._frequencies(comparisons, u))  # fmt: skip
            draft = self._with_priors(draft, share)
        figures = {
            "records": self.records,
            "sampled_pairs": sampled,
            "sampled_pair_share": round(share, 6),
            "sessions": sessions,
            "same_person_where_a_number_agrees": {name: round(p, 4) for name, p in shared.items()},
            "seed": self.seed,
        }
        return replace(draft, figures=figures)

    def _number(self, sql: str) -> int:
        return int(self.con.execute(sql).fetchone()[0])

    def _columns(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """Columns that say something, and those that number persons."""
        present, identifying = [], {"email", "phone"}
        for name in self.settings.columns:
            said, different = self.con.execute(f"select count({name}), count(distinct {name}) from {TABLE}").fetchone()
            if not said:
                self.dropped[f"column: {name}"] = "no record says anything"
                continue
            present.append(name)
            if name in self.settings.extras and different >= _NUMBER_SHARE * said:
                identifying.add(name)
        if not present:
            raise LinkageError(f"none of the columns {', '.join(self.settings.columns)} says anything in any record")
        return tuple(present), frozenset(identifying & set(present))

    def _frequencies(
        self, comparisons: Sequence[Comparison], u: dict[str, dict[int, float]] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Per column with weights for rare values: the share of records with each frequent value, and of any other."""
        found = {}
        for comparison in comparisons:
            for value, level in valued_levels(comparison):
                if level.term_frequencies:
                    of_strangers = u[comparison.name][value] if u and comparison.identifies else None
                    found[level.term_frequencies] = self._frequencies_of(level.term_frequencies, of_strangers)
        return found

    def _frequencies_of(self, column: str, of_strangers: float | None) -> dict[str, Any]:
        """Shares of values; for numbers of persons relative to how often a person's own records repeat one.

        The two or three records that share a phone are one person's as a rule, and the share of that value says
        nothing of strangers. Only what is shared by more than usual counts less.
        """
        said = self._number(f"select count({column}) from {TABLE}")
        counts = f"select {column} as value, count(*) as n from {TABLE} where {column} is not null group by {column}"
        frequent = self.con.execute(f"""
            select value, n from ({counts}) where n > 1
            order by n desc, value limit {self.settings.frequent_values}
        """).fetchall()
        different = self._number(f"select count(distinct {column}) from {TABLE}")
        rest_records = said - sum(n for _, n in frequent)
        rest_values = max(different - len(frequent), 1)
        if of_strangers is None:
            rest = max(rest_records, rest_values) / rest_values / said
            return {"values": {value: _rounded(n / said) for value, n in frequent}, "rest": _rounded(rest)}
        usual = self.con.execute(f"select quantile_disc(n, 0.5) from ({counts}) where n > 1").fetchone()[0] or 2
        values = {value: _rounded(of_strangers * n / usual) for value, n in frequent if n > usual}
        return {"values": values, "rest": _rounded(of_strangers)}

    def _splink(
        self,
        comparisons: Sequence[Comparison],
        m: dict[str, dict[int, float]],
        u: dict[str, dict[int, float]],
    ) -> list[dict[str, Any]]:
        return [splink_comparison(one, m[one.name], u[one.name]) for one in comparisons]

    def _linker(self, comparisons: Sequence[Comparison], u: dict[str, dict[int, float]] | None) -> Any:
        from splink import Linker

        plain = [splink_comparison(one, None, u[one.name] if u else None) for one in comparisons]
        for comparison in plain:
            for level in comparison["comparison_levels"]:
                # Frequencies weigh single values; how often levels are reached does not depend on them.
                level.pop("tf_adjustment_column", None)
        settings = {
            "link_type": "dedupe_only",
            "unique_id_column_name": NUMBER,
            "comparisons": plain,
            "blocking_rules_to_generate_predictions": [],
            "probability_two_random_records_match": min(0.5, 1 / max(self.records, 2)),
            "em_convergence": 1e-4,
            "max_iterations": 100,
            "retain_matching_columns": False,
        }
        return Linker(self.api.register(TABLE), settings, log_level=None, validate_settings=False)

    def _u(self, comparisons: Sequence[Comparison]) -> dict[str, dict[int, float]]:
        """How often strangers reach each level: counted on random pairs."""
        wanted = min(self.settings.random_pairs, _RANDOM_PAIRS_A_RECORD * self.records)
        least = 1 / (2 * min(wanted, max(self.records * (self.records - 1) // 2, 1)))
        trained: dict[str, dict[int, float]] = {}
        linker = None
        if self.records > 1:
            linker = self._linker(comparisons, None)
            linker.training.estimate_u_using_random_sampling(
                max_pairs=wanted, seed=self.seed, min_count_per_level=None, num_chunks=1
            )
        for comparison in comparisons:
            found = _trained(linker._settings_obj.core_model_settings, comparison, "u") if linker else {}
            shares = {value: max(found.get(value, 0.0), least) for value, level in valued_levels(comparison)
                      if not level.is_null}  # fmt: skip
            trained[comparison.name] = {value: _rounded(share) for value, share in shares.items()}
        return trained

    def _m(
        self,
        comparisons: Sequence[Comparison],
        u: dict[str, dict[int, float]],
        identifying: frozenset[str],
    ) -> tuple[dict[str, dict[int, float]], dict[str, float], list[dict[str, Any]]]:
        """How often records of one person reach each level; and of pairs that share a number, how many are of one."""
        by_name: dict[str, list[tuple[dict[int, float], float]]] = {one.name: [] for one in comparisons}
        shared: dict[str, float] = {}
        sessions: list[dict[str, Any]] = []
        for columns, is_number in _sessions(self.settings, comparisons, identifying):
            pairs = self._note_training_block(columns)
            session: dict[str, Any] = {"block": list(columns), "pairs": pairs}
            sessions.append(session)
            if pairs < _MIN_SESSION_PAIRS:
                session["skipped"] = f"fewer than {_MIN_SESSION_PAIRS} pairs"
                continue
            core = self._session(comparisons, u, columns)
            if core is None:
                session["skipped"] = "nothing to learn"
                continue
            matching = float(core.probability_two_random_records_match)
            session["same_person"] = round(matching, 4)
            if is_number:
                shared[columns[0]] = matching
            certain = min(pairs, self.settings.training_pairs) * matching
            for comparison in comparisons:
                if comparison.blocked_by & set(columns):
                    continue
                found = _trained(core, comparison, "m")
                if found:
                    by_name[comparison.name].append((found, certain))
        m = {}
        for comparison in comparisons:
            values = [value for value, level in valued_levels(comparison) if not level.is_null]
            believed = {value: level.believed for value, level in valued_levels(comparison)}
            m[comparison.name] = _mean_shares(values, by_name[comparison.name], believed)
        return m, shared, sessions

    def _note_training_block(self, columns: Sequence[str]) -> int:
        """Make the column `session_key` of the records: null in blocks too large; returns the pairs it makes."""
        key = key_sql(columns)
        self.con.execute(f"alter table {TABLE} drop column if exists session_key")
        self.con.execute(f"alter table {TABLE} add column session_key ubigint")
        self.con.execute(f"""
            update {TABLE} as records set session_key = sizes.k from (
                select {key} as k, count(*) as n from {TABLE} where {key} is not null group by {key}
                having n between 2 and {self.settings.max_block_records}
            ) as sizes where {key} = sizes.k
        """)
        # Whole blocks are left out until about as many pairs as wanted remain: sums stay those of whole blocks.
        pairs = self._number(f"""
            select coalesce(sum(n * (n - 1) // 2), 0)::bigint
            from (select count(*) as n from {TABLE} where session_key is not null group by session_key)
        """)
        if pairs > self.settings.training_pairs:
            keep = int(1_000_000 * self.settings.training_pairs / pairs)
            self.con.execute(
                f"update {TABLE} set session_key = null where hash(session_key, {self.seed}) % 1000000 >= {keep}"
            )
        return pairs

    def _session(
        self, comparisons: Sequence[Comparison], u: dict[str, dict[int, float]], columns: Sequence[str]
    ) -> Any | None:
        from splink.internals.exceptions import EMTrainingException

        linker = self._linker(comparisons, u)
        # Sums of shares over patterns, in one order: the model must not depend on which thread was first.
        threads = self._number("select current_setting('threads')")
        self.con.execute("set threads = 1")
        same = " and ".join(f'l."{column}" = r."{column}"' for column in columns)
        try:
            session = linker.training.estimate_parameters_using_expectation_maximisation(
                f"l.session_key = r.session_key and {same}", estimate_without_term_frequencies=True
            )
        except EMTrainingException:
            return None
        finally:
            self.con.execute(f"set threads = {threads}")
        return session.core_model_settings

    def _note_sample(self, rules: Sequence[SizedRule]) -> float:
        """Draw the records whose pairs are about as many as the settings want; returns the share of all pairs."""
        pairs = sum(rule.pairs for rule in rules)
        share = min(1.0, self.settings.training_pairs / max(pairs, 1))
        # A pair is in the sample if either of its records was drawn.
        drawn = round(1_000_000 * (1 - math.sqrt(1 - share)))
        self.con.execute(f"""
            create or replace table {CHANGED} as
            select {KEY} from {TABLE} where hash({NUMBER}, {self.seed}) % 1000000 < {drawn}
        """)
        return 1 - (1 - drawn / 1_000_000) ** 2

    def _with_priors(self, draft: LinkageModel, share: float) -> LinkageModel:
        """The log odds that make the blocked pairs' probabilities add up to what they were computed from."""
        if not self._number(f"select count(*) from {PAIRS}"):
            return draft
        note_frequencies(self.api, draft.frequencies)
        weighed = splink_weights(self.api, draft, None)
        weights = with_frequencies(draft)
        personal = [sql for name, sql in weights.items() if name in draft.personal]
        household = [sql for name, sql in weights.items() if name not in draft.personal]
        household.append(moved_sql(weights))
        patterns = self.con.execute(f"""
            select round({" + ".join(personal) or "0"}, 2)::double as personal,
                round({" + ".join(household)}, 2)::double as household, count(*)::double as pairs
            from {weighed} group by all order by all
        """).fetchnumpy()
        self.con.execute(f"drop table if exists {weighed}")
        prior, bound = _fixed_point(
            np.asarray(patterns["personal"], dtype=np.float64),
            np.asarray(patterns["household"], dtype=np.float64),
            np.asarray(patterns["pairs"], dtype=np.float64) / share,
            self.records,
        )
        return replace(draft, prior_weight=prior, household_weight=bound)

    def _u_of_numbers(
        self,
        comparisons: Sequence[Comparison],
        m: dict[str, dict[int, float]],
        u: dict[str, dict[int, float]],
        shared: dict[str, float],
        prior_weight: float,
    ) -> dict[str, dict[int, float]]:
        """For numbers of persons: so few strangers share one that the pairs that do are of one person as learnt.

        Random pairs cannot tell: those few that share an e-mail address are of one person themselves.
        """
        prior = 2.0**prior_weight
        learnt = dict(u)
        for comparison in comparisons:
            if comparison.identifies and comparison.name in shared:
                exact = next(value for value, level in valued_levels(comparison) if level.term_frequencies)
                one_person = min(shared[comparison.name], _MAX_SHARED_PROBABILITY)
                strangers = prior * m[comparison.name][exact] * (1 - one_person) / max(one_person, 1e-3)
                learnt[comparison.name] = {
                    **u[comparison.name],
                    exact: _rounded(min(u[comparison.name][exact], max(strangers, 1e-12))),
                }
        return learnt


def _sessions(
    settings: LinkageSettings, comparisons: Sequence[Comparison], identifying: frozenset[str]
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Blocks to learn on: of a person's own attributes, whose pairs are no household; and of numbers, one by one."""
    there = {name for comparison in comparisons for name in comparison.needs}
    own = [("given_name", "birth_date"), ("last_name", "birth_date"), ("given_name", "last_name")]
    for columns in own:
        if set(columns) <= there:
            yield columns, False
    for name in sorted(identifying & there):
        yield (name,), True


def _trained(core: Any, comparison: Comparison, kind: str) -> dict[int, float]:
    """Shares by level as Splink found them; levels never seen are left out."""
    for found in core.comparisons:
        if found.output_column_name == comparison.name:
            return {
                level.comparison_vector_value: float(share)
                for level in found.comparison_levels
                if not level.is_null_level and isinstance(share := getattr(level, f"_{kind}_probability"), int | float)
            }
    return {}


def _mean_shares(
    values: Sequence[int], found: Sequence[tuple[dict[int, float], float]], believed: dict[int, float]
) -> dict[int, float]:
    """The mean of sessions by their pairs of one person; what is believed counts as much as a few such pairs."""
    weights = {value: _BELIEVED_PAIRS * believed[value] for value in values}
    for shares, pairs in found:
        for value in values:
            weights[value] += pairs * shares.get(value, 0.0)
    total = sum(weights.values())
    return {value: _rounded(weight / total) for value, weight in weights.items()}


def _fixed_point(personal: Floats, household: Floats, pairs: Floats, records: int) -> tuple[float, float]:
    """Prior and bound (log2 odds) from weights of blocked pairs: both are means of what they make of the pairs."""
    every = max(records * (records - 1) / 2, 1.0)
    prior, bound = -math.log2(max(records, 2)), 0.0
    for _ in range(_ROUNDS):
        shared = prior + household
        weight = np.minimum(shared, bound) + personal
        probability = 1 / (1 + np.exp2(-np.clip(weight, -500, 500)))
        same = float((probability * pairs).sum())
        prior = _log_odds(min(max(same / every, 1e-12), 0.5))
        living_together = shared >= bound
        if living_together.any():
            of_them = float((probability * pairs)[living_together].sum() / pairs[living_together].sum())
            bound = min(max(_log_odds(of_them), -_MAX_HOUSEHOLD_WEIGHT), _MAX_HOUSEHOLD_WEIGHT)
    return round(prior, 2), round(bound, 2)


def _log_odds(probability: float) -> float:
    probability = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log2(probability / (1 - probability))


def _rounded(share: float) -> float:
    return float(f"{share:.{_DIGITS}g}")
