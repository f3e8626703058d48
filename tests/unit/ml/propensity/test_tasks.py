import pytest
import yaml

from ml.catalogue import PROJECT_ROOT, read_catalogue
from ml.propensity.tasks import RECENCY, RFM_FEATURES, TASKS, Task, families

LABELS = PROJECT_ROOT / "models" / "features" / "labels"


def test_the_questions_that_are_answered() -> None:
    assert list(TASKS) == [
        "purchase_propensity_7d",
        "purchase_propensity_14d",
        "purchase_propensity_28d",
        "churn_propensity",
        "redemption_propensity",
        "click_propensity",
    ]
    assert families() == ("purchase_propensity", "churn_propensity", "redemption_propensity", "click_propensity")


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.model_name)
def test_what_a_question_needs_is_declared(task: Task) -> None:
    (label,) = yaml.safe_load((LABELS / f"{task.label_table}.yml").read_text(encoding="utf-8"))["models"]
    columns = {column["name"] for column in label["columns"]}
    assert {*task.keys, *task.label_columns} <= columns
    assert task.horizon_days is None or str(task.horizon_days) in task.says
    learned = {*task.numeric, *task.categorical}
    assert {RECENCY, *RFM_FEATURES, *task.required} <= learned
    assert not learned & columns - {*task.keys}, "a label is no feature"
    assert (task.type_column is None) or task.type_column in task.categorical


def test_horizons_share_their_features() -> None:
    assert len({TASKS[f"purchase_propensity_{days}d"].numeric for days in (7, 14, 28)}) == 1


def test_what_is_known_of_everybody_is_no_part_of_an_offer() -> None:
    task = TASKS["redemption_propensity"]
    of_offers = {f.name for f in read_catalogue().of_model(task.family) if f.table == "feat_customer_offer"}
    assert of_offers
    assert not of_offers & set(task.customer_features)
    assert of_offers | set(task.customer_features) == {*task.numeric, *task.categorical}
