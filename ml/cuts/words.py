"""What a cut means, in sentences that need no statistics."""

# What a positive does, by how the name of the model begins.
VERBS = {"purchase": "buy", "redemption": "redeem a coupon", "click": "click", "churn": "stop buying"}


def verb_of(model_name: str) -> str:
    """What those do whom the model looks for, e.g. "buy"."""
    return next((verb for start, verb in VERBS.items() if model_name.startswith(start)), "do what is predicted")


def precision_in_words(precision: float, verb: str) -> str:
    """E.g. "of 100 people contacted 62 buy"."""
    whole, part = _natural(precision)
    return f"of {whole} people contacted {part} {verb}"


def recall_in_words(recall: float, verb: str) -> str:
    """E.g. "of 100 who buy 41 are reached"."""
    whole, part = _natural(recall)
    return f"of {whole} who {verb} {part} are reached"


def _natural(share: float) -> tuple[str, str]:
    """A share as a count of 100, or of 1,000 where 100 are too few to see it; neither "all" nor "none" by rounding."""
    for whole in (100, 1_000):
        part = round(whole * share)
        if share in (0.0, 1.0) or 0 < part < whole:
            return f"{whole:,}", f"{part:,}"
    return "1,000", "fewer than 1" if share < 0.5 else "more than 999"


def caution(verb: str) -> str:
    """What a score does not say."""
    return (
        f"High scorers may {verb} anyway: a score says who is likely to, not whom a message moves; only a comparison "
        "with people left out by lot tells that."
    )
