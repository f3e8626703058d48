"""Champions over many runs: decided once a hold-out, kept on the ledger, refused when tampered with, taken back."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from orchestration import __main__ as command
from orchestration.challengers import Asked, RetrainReasons, no_reasons
from orchestration.champions import RollbackNotPossible, rollback
from orchestration.model_ledger import FALLBACK, PROMOTED, all_decisions, model_past
from orchestration.model_refresh import Refreshed, refresh
from orchestration.propensity_models import PropensityModel
from shops import ShopFolders, load_settings
from tests.unit.orchestration.scratch_model import (
    CUSTOMERS,
    GOOD,
    NAME,
    POOR,
    ask,
    build,
    contents,
    day,
    promote,
    toy,
)

BY_NAME = Asked.of(NAME)


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path)


def run(
    folders: ShopFolders,
    week: int,
    run_id: str,
    model: PropensityModel | None = None,
    asked: Asked | None = None,
    reasons: RetrainReasons = no_reasons,
    *,
    is_good: bool = True,
    keep: bool = True,
) -> Refreshed:
    """A run as of `week`, promoted if it is good."""
    build(folders, week, keep=keep)
    done = refresh(model or toy(), folders.warehouse, folders, load_settings("demo"), run_id, asked, reasons)
    assert done is not None
    promote(folders, run_id, is_good)
    return done


def test_the_first_champion_is_decided_once_and_outlives_the_warehouse(folders: ShopFolders) -> None:
    first = run(folders, 12, "run-1")
    assert (first.champion.choice, first.champion.hold_out_from) == (PROMOTED, day(10))
    assert first.newest is not None
    assert first.newest.decisions_taken == 1
    assert first.metrics["all/roc_auc"] > 0.6
    before = contents(folders)
    # The hold-out's own date, the one between and the current one.
    assert {row[1] for row in before["scores"]} == {day(10), day(11), day(12)}
    assert len(before["judged_predictions"]) == 2 * CUSTOMERS
    assert [row[3] for row in before["model_champions"]] == [FALLBACK, PROMOTED]

    again = run(folders, 12, "run-2")
    assert again.challenge is None, "nobody is due"
    assert again.scored.rows_written == 0, "what is said again leaves no trace"
    assert contents(folders) == before

    lost = run(folders, 12, "run-3", keep=False)
    assert lost.challenge is None
    assert contents(folders) == before
    assert {run_id for (run_id,) in ask(folders, "select distinct run_id from ml.scores")} == {"run-1"}
    files = sorted(file.name for file in (folders.state / "scores").glob("[0-9]*"))
    assert files == ["000001-run-1.parquet"], "what the ledger has so is not recorded again"


def test_scores_that_were_published_stay_and_a_new_date_comes_to_them(folders: ShopFolders) -> None:
    run(folders, 12, "run-1")
    before = ask(folders, "select * from ml.scores order by all")
    run(folders, 13, "run-2")
    after = ask(folders, "select * from ml.scores where run_id = 'run-1' order by all")
    assert after == before
    assert ask(folders, "select as_of_date, count(*) from ml.scores where run_id = 'run-2' group by all") == [
        (day(13), CUSTOMERS)
    ]
    cited = "select count(*) from ml.scores anti join ml.model_versions using (model_version, feature_schema_hash)"
    assert ask(folders, cited) == [(0,)]


def test_a_run_that_was_not_promoted_leaves_nothing(folders: ShopFolders) -> None:
    done = run(folders, 12, "run-1", is_good=False)
    assert done.champion.choice == PROMOTED
    assert model_past(folders, NAME).champion is None
    again = run(folders, 12, "run-2")
    assert again.newest is not None
    assert again.newest.decisions_taken == 1, "what was never promoted has decided nothing"
    assert {run_id for (run_id,) in ask(folders, "select distinct run_id from ml.scores")} == {"run-2"}


def test_choices_of_a_promotion_that_was_killed_do_not_count(folders: ShopFolders) -> None:
    run(folders, 12, "run-1")
    (decision,) = (folders.state / "model_decisions").glob("[0-9]*")
    decision.unlink()  # as if the process had ended before the last file
    assert model_past(folders, NAME).champion is None
    again = run(folders, 12, "run-2", keep=False)
    assert again.champion.choice == PROMOTED
    assert again.champion.run_id == "run-2"


def test_nobody_beats_the_baselines_and_the_fallback_goes_on(folders: ShopFolders) -> None:
    first = run(folders, 12, "run-1", toy(POOR))
    assert first.champion.is_fallback
    assert first.newest is not None
    assert first.newest.verdict == "refused"
    assert "logistic regression rfm" in first.newest.reason
    assert set(ask(folders, "select distinct fallback_tier from ml.scores")) == {("base_rate",)}
    assert ask(folders, "select count(*) from ml.model_performance where is_champion") == [(0,)]
    before = contents(folders)
    run(folders, 12, "run-2", toy(POOR), keep=False)
    assert contents(folders) == before, "the decision is on record"
    # The next week has a hold-out of its own, and a better model.
    later = run(folders, 13, "run-3", toy(GOOD))
    assert later.champion.choice == PROMOTED
    assert later.newest is not None
    assert later.newest.decisions_taken == 2
    assert "no model has been promoted yet" in later.newest.trained_because


def test_a_hold_out_that_has_decided_decides_nothing_else(folders: ShopFolders) -> None:
    champion = run(folders, 12, "run-1", toy(GOOD, fixed=day(10))).champion
    # Another model, asked for by name, on the same hold-out.
    done = run(folders, 13, "run-2", toy((*GOOD, "order_count"), fixed=day(10)), BY_NAME)
    assert done.champion == champion
    assert done.challenge is not None
    assert done.challenge.trained is None
    assert done.newest is not None
    assert (done.newest.verdict, done.newest.uses_hold_out, done.newest.decisions_taken) == ("refused", False, 1)
    assert f"The hold-out of {day(10)} has decided already" in done.newest.reason
    # Asked once more, it is the same refusal and no new row.
    before = contents(folders)
    run(folders, 13, "run-3", toy((*GOOD, "order_count"), fixed=day(10)), BY_NAME)
    assert contents(folders) == before
    # With the next unused date there is a decision.
    free = run(folders, 13, "run-4", toy((*GOOD, "order_count")), BY_NAME)
    assert free.newest is not None
    assert (free.newest.hold_out_from, free.newest.decisions_taken) == (day(11), 2)


def test_a_challenger_that_is_no_better_leaves_the_champion(folders: ShopFolders) -> None:
    champion = run(folders, 12, "run-1").champion
    done = run(folders, 14, "run-2", toy(POOR), BY_NAME)
    assert done.champion == champion
    assert done.newest is not None
    assert done.newest.champion_version == champion.model_version
    assert done.newest.verdict == "refused"
    assert ask(folders, "select distinct model_version from ml.model_performance where is_champion") == [
        (champion.model_version,)
    ]
    checks = ask(folders, "select distinct against from ml.model_decision_checks where model_version = ? "
                 "and check_name = 'better'", done.newest.challenger_version)  # fmt: skip
    assert checks == [(champion.model_version,)], "it is held against the champion and not the baselines"


def test_a_better_challenger_takes_over_from_the_current_date_on(folders: ShopFolders) -> None:
    first = run(folders, 12, "run-1", toy(("order_count_28d",))).champion
    assert first.choice == PROMOTED
    done = run(folders, 15, "run-2", toy(GOOD))
    assert done.newest is not None
    assert "have changed" in done.newest.trained_because
    assert done.champion.choice == PROMOTED
    assert done.champion.model_version != first.model_version
    versions = dict(ask(folders, "select as_of_date, any_value(model_version) from ml.scores group by all"))
    assert {versions[day(week)] for week in (10, 11, 12)} == {first.model_version}, "published scores stay"
    assert {versions[day(week)] for week in (13, 14, 15)} == {done.champion.model_version}


def test_models_are_trained_once_a_week_unless_asked_by_name(folders: ShopFolders) -> None:
    champion = run(folders, 12, "run-1").champion
    changed = toy((*GOOD, "order_count"))
    assert run(folders, 12, "run-2", changed).challenge is None, "changed, but trained today"
    assert run(folders, 13, "run-3", toy()).challenge is None, "no reason"
    watched = run(folders, 13, "run-4", toy(), reasons=lambda _, one: [f"{one.model_version} degrades"])
    assert watched.newest is not None
    assert watched.newest.trained_because == f"{champion.model_version} degrades"
    assert run(folders, 14, "run-5", toy(), Asked.of("all")).challenge is not None
    assert run(folders, 14, "run-6", toy(), Asked.of("all")).challenge is None, "trained today"
    assert run(folders, 14, "run-7", toy(), Asked.of("another_model")).challenge is None


def test_a_run_as_of_a_past_date_knows_nothing_after_it_and_changes_no_fact(folders: ShopFolders) -> None:
    first = run(folders, 12, "run-1", toy(("order_count_28d",))).champion
    second = run(folders, 15, "run-2", toy(GOOD)).champion
    before = contents(folders)
    past = run(folders, 13, "run-3", toy(GOOD))
    assert past.champion == first, "the second was not known then"
    assert ask(folders, "select max(as_of_date) from ml.scores") == [(day(13),)]
    now = run(folders, 15, "run-4", toy(GOOD))
    assert now.champion == second
    assert contents(folders) == before


@pytest.mark.parametrize("damage", ["tampered", "missing", "other features", "a feature is gone"])
def test_an_artifact_that_cannot_be_used_is_refused(folders: ShopFolders, damage: str) -> None:
    champion = run(folders, 12, "run-1").champion
    folder = folders.models / NAME / champion.model_version
    manifest = folder / "manifest.json"
    if damage == "tampered":
        file = folder / "model.skops"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    elif damage == "missing":
        manifest.unlink()
    else:
        outer = json.loads(manifest.read_text())
        content = json.loads(outer["content"])
        renamed = ["a_feature_of_old", *content["numeric"][1:]]
        content |= {"numeric": renamed, "feature_names": renamed}
        _rewrite(folders, manifest, content, record=damage == "a feature is gone")
    with pytest.raises(dg.Failure) as refused:
        run(folders, 13, "run-2")
    said = str(refused.value.description)
    assert champion.model_version in said
    assert f"python -m orchestration models rollback {NAME}" in said
    assert {"a feature is gone": "no feature table declares a_feature_of_old"}.get(damage, "") in said
    assert ask(folders, "select max(as_of_date) from ml.scores") == [(day(12),)], "nothing was scored"
    # Somebody who asks for another one gets it, on a hold-out that is free: beside the baselines.
    done = run(folders, 14, "run-3", asked=BY_NAME)
    assert done.champion.choice == PROMOTED
    assert done.newest is not None
    assert done.newest.champion_version is None


def _rewrite(folders: ShopFolders, manifest: Path, content: dict[str, object], record: bool) -> None:
    """Another manifest with a checksum that fits; `record` makes the ledger believe it."""
    import hashlib

    import duckdb

    from ml.frames import schema_hash

    text = json.dumps(content, indent=2, sort_keys=True)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    manifest.write_text(json.dumps({"sha256": checksum, "content": text}, indent=1))
    if record:
        (file,) = (folders.state / "model_champions").glob("[0-9]*")
        features = schema_hash(content["numeric"], ())  # type: ignore[arg-type]
        with duckdb.connect() as connection:
            connection.execute(
                f"create table rows as select * replace ('{checksum}' as artifact_sha256, '{features}' as "
                f"feature_schema_hash) from read_parquet('{file}')"
            )
            connection.execute(f"copy rows to '{file}' (format parquet)")


def test_rollback_takes_effect_with_the_next_run_and_is_on_record(folders: ShopFolders) -> None:
    first = run(folders, 12, "run-1", toy(("order_count_28d",))).champion
    second = run(folders, 15, "run-2", toy(GOOD)).champion
    choice = rollback(folders, NAME, reason="complaints", chosen_by="somebody")
    assert (choice.model_version, choice.known_from) == (first.model_version, day(15))
    done = run(folders, 15, "run-3", toy(GOOD))
    assert done.champion.model_version == first.model_version
    assert (done.champion.reason, done.champion.chosen_by) == ("complaints", "somebody")
    assert done.challenge is None, "a rollback is no reason to train"
    versions = dict(ask(folders, "select as_of_date, any_value(model_version) from ml.scores group by all"))
    assert versions[day(15)] == first.model_version
    assert versions[day(14)] == second.model_version, "what was said of a past date stays"
    # Once more: before the first there was the fallback; and from it back to the second, by name.
    assert rollback(folders, NAME).is_fallback
    fallen = run(folders, 15, "run-4", toy(GOOD))
    assert fallen.challenge is None, "somebody wanted no model"
    assert fallen.champion.is_fallback
    assert rollback(folders, NAME, second.model_version).model_version == second.model_version
    kept = contents(folders)["model_champions"]
    run(folders, 15, "run-5", toy(GOOD), keep=False)
    assert contents(folders)["model_champions"][: len(kept)] == kept


def test_a_rollback_that_is_none_says_what_there_is(folders: ShopFolders) -> None:
    with pytest.raises(RollbackNotPossible, match="no champion of 'purchase' is on record"):
        rollback(folders, "purchase")
    champion = run(folders, 12, "run-1").champion
    with pytest.raises(RollbackNotPossible, match="is the champion of purchase_propensity already"):
        rollback(folders, NAME, champion.model_version)
    with pytest.raises(RollbackNotPossible, match=f"never was the champion.*{champion.model_version}"):
        rollback(folders, NAME, "v0")
    assert rollback(folders, NAME).is_fallback
    with pytest.raises(RollbackNotPossible, match="there is nothing before it"):
        rollback(folders, NAME)


def test_the_command_lists_explains_and_rolls_back(
    folders: ShopFolders, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIENCE_DATA_DIR", str(folders.data_root))
    assert command.main(["models", "list"]) == 0
    assert "no model has a champion yet" in capsys.readouterr().out
    champion = run(folders, 12, "run-1").champion
    assert command.main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    assert "champion (promoted)" in listed
    assert "fallback" in listed
    assert command.main(["models", "decisions", NAME]) == 0
    told = capsys.readouterr().out
    assert f"{champion.model_version} promoted on {day(12)}, against the baselines" in told
    assert all_decisions(folders)[0].reason in told
    assert command.main(["models", "rollback", NAME, "--reason", "a test"]) == 0
    assert "Next: make run" in capsys.readouterr().out
    assert command.main(["models", "rollback", "nobody"]) == 1
    assert "Models with one: purchase_propensity" in capsys.readouterr().err
    assert command.main(["retrain", "nobody"]) == 1
    assert "Known: purchase_propensity_7d" in capsys.readouterr().err
