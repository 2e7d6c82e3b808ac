"""The table of decimals is Stripe's, and what it lacks is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.currencies import MULTIPLE_OF, UnknownCurrency, exponent

SAMPLE = json.loads((Path(__file__).parent / "currencies.sample.json").read_text(encoding="utf-8"))


def test_every_currency_has_stripes_decimals() -> None:
    """Each of the 139 currencies of Stripe's page has the decimals it gives."""
    assert len(SAMPLE["exponents"]) == 139
    assert {code: exponent(code.upper()) for code in SAMPLE["exponents"]} == SAMPLE["exponents"]


def test_every_special_case_is_known() -> None:
    """What Stripe charges in whole units or tens is the same table."""
    assert {code.upper(): step for code, step in SAMPLE["multiple_of"].items()} == MULTIPLE_OF


@pytest.mark.parametrize("code", ["XAU", "eur", "", "EURO"])
def test_an_unknown_code_is_refused(code: str) -> None:
    """A code outside the table is never guessed to have two decimals."""
    with pytest.raises(UnknownCurrency, match="not in Stripe's table"):
        exponent(code)
