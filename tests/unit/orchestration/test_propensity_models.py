"""What makes a model another model, and which hold-outs are free."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from ml.catalogue import read_catalogue
from ml.propensity.tasks import REDEMPTION, TASKS, purchase_within
from orchestration import propensity_models as entries
from orchestration.propensity_models import code_hash, first_free, newest_campaigns, newest_date, propensity_models
from shops import Settings, load_settings

MONDAY = date(2017, 6, 5)
WITHIN = purchase_within(14)
WEEKS = [MONDAY + timedelta(days=7 * week) for week in range(4)]


def test_every_entry_names_files_and_labels_that_there_are() -> None:
    models = propensity_models(load_settings("demo"))
    assert [model.model_name for model in models] == list(TASKS)
    for model in models:
        assert read_catalogue().of_model(model.family), model.family
        table = model.inputs.label_table  # type: ignore[attr-defined]
        assert list((entries.PROJECT_ROOT / "models" / "features").rglob(f"{table}.sql")), table


def test_a_definition_changes_with_settings_and_not_with_the_day() -> None:
    settings = load_settings("demo")
    changed = settings.model_dump()
    changed["models"]["training"]["fit_rows"] = 1000
    other_day = settings.model_dump()
    other_day["models"]["purchase"]["test_as_of_date"] = MONDAY
    hashes = [propensity_models(Settings.model_validate(each))[0].definition_hash
              for each in (settings.model_dump(), changed, other_day)]  # fmt: skip
    assert hashes[0] != hashes[1]
    assert hashes[0] == hashes[2], "another hold-out is no other model"


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        ('"""Another docstring."""\n\n# a comment\ndef f(x):\n    return x + 1\n', True),
        ('"""A docstring."""\ndef f(x):\n    """Of f."""\n    return x  +  1\n', True),
        ('"""A docstring."""\ndef f(x):\n    return x + 2\n', False),
    ],
    ids=["comment", "docstring and layout", "code"],
)
def test_comments_are_no_code(text: str, is_same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PROJECT_ROOT", tmp_path)
    file = tmp_path / "model.py"
    file.write_text('"""A docstring."""\ndef f(x):\n    return x + 1\n')
    code_hash.cache_clear()
    before = code_hash(("model.py",))
    file.write_text(text)
    code_hash.cache_clear()
    assert (code_hash(("model.py",)) == before) is is_same
    code_hash.cache_clear()


def test_the_hold_out_of_customers_is_the_newest_date_that_is_free() -> None:
    labels = pd.DataFrame({"customer_id": "c", "as_of_date": WEEKS, "has_purchased_14d": 1})
    assert newest_date(WITHIN, None)(labels, None) == WEEKS[3]
    assert newest_date(WITHIN, WEEKS[1])(labels, None) == WEEKS[1]
    assert newest_date(WITHIN, WEEKS[1] + timedelta(days=3))(labels, None) == WEEKS[1], "no later than what is set"
    assert newest_date(WITHIN, None)(labels, first_free(WEEKS[2])) == WEEKS[3]
    assert newest_date(WITHIN, None)(labels, first_free(WEEKS[3])) is None
    assert newest_date(WITHIN, WEEKS[1])(labels, first_free(WEEKS[1])) is None
    assert newest_date(WITHIN, MONDAY - timedelta(days=1))(labels, None) is None


def test_the_hold_out_of_offers_is_the_newest_campaigns_that_are_free() -> None:
    labels = pd.DataFrame({"customer_id": "c", "campaign_id": list("abcd"), "as_of_date": WEEKS, "label_ends_on": WEEKS,
                           "first_redeemed_on": None, "has_redeemed": 0})  # fmt: skip
    assert newest_campaigns(REDEMPTION, None)(labels, None) == WEEKS[3]
    assert newest_campaigns(REDEMPTION, WEEKS[1])(labels, None) == WEEKS[1]
    assert newest_campaigns(REDEMPTION, WEEKS[1])(labels, first_free(WEEKS[2])) == WEEKS[2] + timedelta(days=1)
    assert newest_campaigns(REDEMPTION, WEEKS[1])(labels, first_free(WEEKS[3])) is None
