"""Who scores, and what was said, stays: over runs, a changed artifact; and goes back by a command."""

from __future__ import annotations

import dataclasses
import json

import dagster as dg
import pytest

from orchestration.champions import champions, rollback
from orchestration.content import content_hashes
from orchestration.ml_assets import known_models
from orchestration.model_ledger import RECORDED, Choice, all_decisions, now, record_choice, record_models
from orchestration.running import run_chain
from orchestration.warehouse import reading
from shops import ShopFolders, load_settings
from tests.conftest import run_command
from tests.integration.outcome import sha256

# What the marts say of models, and what they are made from.
OF_MODELS = ("ml.", "scores.int_scores__model", "scores.int_scores__scores", "marts.fct_scores", "marts.dim_model",
             "marts.rpt_model")  # fmt: skip


def of_models(shop: ShopFolders) -> dict[str, str]:
    return {name: value for name, value in content_hashes(shop.warehouse).items() if name.startswith(OF_MODELS)}


def ledger(shop: ShopFolders) -> list[str]:
    return sorted(f"{table}/{file.name}" for table in ("scores", *RECORDED)
                  for file in (shop.state / table).glob("[0-9]*.parquet"))  # fmt: skip


@pytest.mark.slow
def test_champions_and_scores_stay_and_go_back_by_a_command(shop: ShopFolders) -> None:
    models = [dg.AssetKey(["scores", name]) for name in known_models(load_settings("demo"))]
    before, files = of_models(shop), ledger(shop)
    chosen = champions(shop)
    assert {key.path[-1] for key in models} == set(chosen)

    # The models again, on the same data: nobody is due, and nothing that was said is said otherwise. That all of it
    # comes back from the ledger when the warehouse is lost is tested in test_rebuilds.
    assert run_chain(shop, models).success
    assert of_models(shop) == before
    assert ledger(shop) == files, "what the ledger has so is not recorded again"

    # So few households let nothing through: a challenger that was refused is made champion by hand.
    name = "purchase_propensity_14d"
    champion = _promote_by_hand(shop, name)
    assert run_chain(shop, models).success
    # Somebody touched the artifact of a champion.
    manifest = shop.models / name / champion.model_version / "manifest.json"
    original = manifest.read_text()
    manifest.write_text(original.replace("numeric", "numerik"))
    warehouse = sha256(shop.warehouse)
    refused = run_chain(shop, models)
    assert not refused.success
    (failure,) = refused.failures
    assert f"the champion of {name}, {champion.model_version}, cannot be used" in failure
    assert f"python -m orchestration models rollback {name}" in failure
    assert sha256(shop.warehouse) == warehouse

    # Back to what scored before.
    rollback(shop, name, reason="a test")
    assert run_chain(shop, models).success
    with reading(shop.warehouse) as connection:
        newest = connection.execute(
            "select choice, is_fallback, reason from ml.model_champions where model_name = ? "
            "order by known_from desc, choice_number desc limit 1",
            [name],
        ).fetchone()
        figures = connection.execute(
            "select count(*) from ml.model_performance where model_name = ? and is_champion", [name]
        ).fetchone()
    assert newest == ("rolled back", True, "a test")
    assert figures == (0,)
    listed = run_command(shop.data_root, "-m", "orchestration", "models", "list")
    assert "champion (rolled back by" in listed.stdout


def _promote_by_hand(shop: ShopFolders, name: str) -> Choice:
    """The newest challenger of a model, as if the gate had let it through."""
    newest = champions(shop)[name]
    if not newest.is_fallback:
        return newest
    version = next(one.challenger_version for one in all_decisions(shop, name) if one.challenger_version)
    manifest = json.loads((shop.models / name / version / "manifest.json").read_text())
    choice = dataclasses.replace(
        newest,
        model_version=version,
        choice="promoted",
        is_fallback=False,
        choice_number=newest.choice_number + 1,
        artifact_sha256=manifest["sha256"],
        chosen_by="a test",
        chosen_at=now(),
        run_id=None,
    )
    record_choice(shop, choice)
    return choice


def test_a_run_is_recorded_once(shop: ShopFolders) -> None:
    files = ledger(shop)
    with reading(shop.warehouse) as connection:
        run_ids = connection.execute("select distinct run_id from ml.scores").fetchall()
    for (run_id,) in run_ids:
        record_models(shop, shop.warehouse, run_id)
    assert ledger(shop) == files
