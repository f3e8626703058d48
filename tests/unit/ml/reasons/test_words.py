import numpy as np
import pandas as pd
import pytest

from ml.catalogue import read_catalogue
from ml.readiness import FEATURES as READINESS
from ml.reasons.words import Teller, shipped_words, words_of
from ml.words import WordsError

ALL = read_catalogue().features
NAMES = [feature.name for feature in ALL]


def teller(*names: str, own: object = None) -> Teller:
    return Teller(read_catalogue().named(names), words_of(own, "shops/x/reason_words.yml", NAMES), "EUR")


def told(name: str, value: object, typical: object, raises: bool = True, own: object = None) -> str:
    rows, reference = pd.DataFrame({name: [value]}), pd.DataFrame({name: [typical]})
    return str(teller(name, own=own).sentences(np.array([0]), np.array([raises]), rows, reference)[0])


@pytest.mark.parametrize(
    ("name", "value", "typical", "sentence"),
    [
        ("purchase_day_count_28d", 9.0, 2.0, "Shopped on 9 days in the last 28 days (typical: 2 days), which"),
        ("purchase_day_count_28d", 0.0, 1.0, "Did not shop in the last 28 days (typical: 1 day), which"),
        ("order_count", 1.0, 0.0, "Placed 1 order so far (typical: none), which"),
        ("days_since_last_order", 61.0, 5.0, "Last ordered 61 days ago (typical: 5 days ago), which"),
        ("days_since_last_mail_opened", np.nan, 8.0, "Has opened no e-mail (typical: 8 days ago), which"),
        ("days_since_last_mail_opened", 8.0, np.nan, "Last opened an e-mail 8 days ago (typical: never), which"),
        ("spend_90d", 1234.56, 6.4, "Spent 1,235 EUR in the last 90 days (typical: 6.40 EUR), which"),
        ("coupon_order_share", 0.125, 0.004, "Uses a coupon on 12% of the orders (typical: 0.4%), which"),
        ("order_count_28d", np.nan, 1.0, "Shopping frequency not known (typical: 1 order), which"),
        ("campaign_type", "Type A", "Type B", "The campaign is of Type A (typical: Type B), which"),
        ("has_unsubscribed", 1.0, 0.0, "Has unsubscribed from e-mails (typical: no), which"),
    ],
)
def test_a_reason_is_a_sentence(name: str, value: object, typical: object, sentence: str) -> None:
    assert told(name, value, typical) == f"{sentence[0].upper()}{sentence[1:]} raises the score."
    assert told(name, value, typical, raises=False).endswith("which lowers the score.")


def test_every_feature_of_a_model_has_words() -> None:
    words = shipped_words()
    wanted = [feature for feature in ALL if feature.models or feature.name in READINESS]
    without = [f.name for f in wanted if f.name not in words.features and words.told(f).theme == f.name.capitalize()]
    assert wanted
    assert not [
        f.name
        for f in wanted
        if words.told(f).says.startswith(f.name.split("_")[0] + " ") and "{window}:" in words.told(f).says
    ]
    assert not without


def test_windows_of_one_quantity_are_one_theme_also_without_words() -> None:
    words = shipped_words()
    themes = {words.told(feature).theme for feature in ALL if feature.name.startswith("order_count")}
    assert "Shopping frequency" in themes
    assert words.told(read_catalogue().named(["days_since_told"])[0]).theme == "Days since told"


def test_a_shop_says_it_in_its_own_words() -> None:
    own = {"sentence": "{told} statt {typical}, das {direction} den Wert.",
           "directions": {"raises": "hebt"},
           "features": {"order_count": {"theme": "Bestellungen", "says": "{value} Bestellungen"}}}  # fmt: skip
    assert told("order_count_28d", 3.0, 1.0, own=own) == "3 Bestellungen statt 1, das hebt den Wert."


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"sentense": "x"}, "unknown section 'sentense'; did you mean 'sentence'"),
        ({"features": {"order_cout": {}}}, "there is no feature 'order_cout'; did you mean 'order_count'"),
        ({"features": {"order_count": {"theme": "x"}}}, "features order_count says"),
        ({"features": {"order_count": {"theme": "x", "says": "{nobody}"}}}, "asks for {nobody}"),
        ({"sentence": "{told"}, "is no template"),
        ({"directions": {"raises": None}}, "lacks raises"),
        (["x"], "must hold keys and values"),
    ],
)
def test_what_cannot_be_used_is_named(own: object, said: str) -> None:
    with pytest.raises(WordsError, match=r"shops/x/reason_words\.yml") as caught:
        words_of(own, "shops/x/reason_words.yml", NAMES)
    assert said in str(caught.value)
