"""Expected response by action: what is likely to come of each type of campaign, for each customer. No effect of it.

``outcomes`` says what a response is, ``model`` learns it among those who were mailed, ``expected`` gives it for each
customer and type, ``balance`` shows how unlike those mailed and those not mailed were, which is why no effect is told.
"""

from ml.response.balance import BALANCE_COLUMNS, campaign_balance
from ml.response.expected import EXPECTED_COLUMNS, expected_responses
from ml.response.mailing import Mailing
from ml.response.model import NothingToLearnError, ResponseModel, train
from ml.response.outcomes import FEATURES, REDEEMED, Outcome, known_before, purchased

__all__ = [
    "BALANCE_COLUMNS",
    "EXPECTED_COLUMNS",
    "FEATURES",
    "REDEEMED",
    "Mailing",
    "NothingToLearnError",
    "Outcome",
    "ResponseModel",
    "campaign_balance",
    "expected_responses",
    "known_before",
    "purchased",
    "train",
]
