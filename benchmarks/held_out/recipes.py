"""Dirt recipes kept for testing. Truth calls them by number, so that no report and no log tells what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingestion.overlay import DirtRecipe
from ingestion.overlay.dirt import Draw


def _drawn(draw: str, options: Sequence[str]) -> str:
    """SQL: one of the SQL expressions `options`, each as likely, by the double `draw`."""
    cases = " ".join(f"when {number} then {option}" for number, option in enumerate(options))
    return f"case cast(floor({draw} * {len(options)}) as integer) {cases} end"


def _misread_name(column: str, draw: str) -> str:
    # The first such letter only: a scanner reads most of them right.
    pairs = (("l", "1"), ("o", "0"), ("rn", "m"), ("m", "rn"), ("e", "c"), ("S", "5"), ("B", "8"), ("i", "!"))
    return _drawn(draw, [f"regexp_replace({column}, '{good}', '{bad}')" for good, bad in pairs])


def _scanned_form(draw: Draw) -> Mapping[str, str]:
    """Paper forms from the till, read by a scanner: letters for digits, digits for letters.

    Modelled on the sign-up slips of loyalty schemes that a service types in by optical character recognition.
    """
    local, domain = "split_part(email, '@', 1)", "split_part(email, '@', 2)"
    return {
        "first_name": _misread_name("first_name", draw("first")),
        "last_name": _misread_name("last_name", draw("last")),
        "phone": _drawn(
            draw("phone"),
            ["phone", "replace(phone, '0', 'O')", "replace(phone, '1', 'l')", "translate(phone, '58', 'SB')"],
        ),
        "email": _drawn(
            draw("email"),
            ["email", "email", "replace(email, '@', '©')", f"regexp_replace({local}, 'l', '1') || '@' || {domain}",
             f"regexp_replace({local}, 'o', '0') || '@' || {domain}"],
        ),
        "postcode": _drawn(draw("postcode"), ["postcode", "postcode", "replace(postcode, '0', 'O')"]),
        "birth_date": _drawn(draw("birth"), ["birth_date", "birth_date", "translate(birth_date, '01', 'Ol')"]),
    }  # fmt: skip


def _one_name_field(draw: Draw) -> Mapping[str, str]:
    """The whole name in one field.

    Modelled on sign-up forms of mail tools that ask for "Name" once, and on exports that map it to either column.
    """
    where = draw("where")
    plain, turned = "first_name || ' ' || last_name", "last_name || ', ' || first_name"
    return {
        "first_name": _drawn(where, [plain, turned, "null", "null"]),
        "last_name": _drawn(where, ["null", "null", plain, turned]),
    }


HELD_OUT_RECIPES: tuple[DirtRecipe, ...] = (
    DirtRecipe("held-out 1", 0.25, _scanned_form, "crm_system = 'till' and length(first_name) > 0"),
    DirtRecipe(
        "held-out 2",
        0.4,
        _one_name_field,
        "crm_system = 'newsletter' and length(first_name) > 0 and length(last_name) > 0",
    ),
)
