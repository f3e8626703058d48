import pytest

from ml.cuts.words import caution, precision_in_words, recall_in_words, verb_of


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.62, "of 100 people contacted 62 buy"),
        (0.004, "of 1,000 people contacted 4 buy"),
        (0.0001, "of 1,000 people contacted fewer than 1 buy"),
        (0.9996, "of 1,000 people contacted more than 999 buy"),
        (0.997, "of 1,000 people contacted 997 buy"),
        (1.0, "of 100 people contacted 100 buy"),
        (0.0, "of 100 people contacted 0 buy"),
    ],
)
def test_shares_are_counts_of_people(share: float, said: str) -> None:
    assert precision_in_words(share, "buy") == said


def test_models_have_verbs() -> None:
    assert recall_in_words(0.41, verb_of("purchase_propensity_7d")) == "of 100 who buy 41 are reached"
    assert verb_of("redemption_propensity") == "redeem a coupon"
    assert verb_of("churn_propensity") == "stop buying"
    assert caution("buy").startswith("High scorers may buy anyway")
