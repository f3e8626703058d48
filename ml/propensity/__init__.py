"""Calibrated probabilities of yes/no questions about customers: who orders, leaves, clicks or redeems.

All questions (`ml.propensity.tasks.TASKS`) go one way: `train` and `score`. A question is an entry there; its features
are those that the feature catalogue lists under its family.
"""

from ml.propensity.limits import Limits
from ml.propensity.scorer import PropensityScorer
from ml.propensity.tasks import TASKS, Task
from ml.propensity.trained import Judged, TrainedModel
from ml.propensity.training import default_test_from, score, train

__all__ = [
    "TASKS",
    "Judged",
    "Limits",
    "PropensityScorer",
    "Task",
    "TrainedModel",
    "default_test_from",
    "score",
    "train",
]
