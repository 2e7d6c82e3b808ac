"""Why a payment becomes no order: a code that people and programs decide by, and a sentence with the cure."""

from __future__ import annotations

from enum import StrEnum

from domain.currencies import UnknownCurrency
from domain.payments import Fact


class ProblemCode(StrEnum):
    """Why no order is written. A closed list."""

    NOT_PAID = "not_paid"
    FOREIGN_ACCOUNT = "foreign_account"
    FOREIGN_MODE = "foreign_mode"
    UNKNOWN_CURRENCY = "unknown_currency"
    MIXED_CURRENCIES = "mixed_currencies"
    CURRENCY_NOT_WHOLE = "currency_not_whole"
    CURRENCY_DECIMALS = "currency_decimals"
    NO_LINES = "no_lines"
    NEGATIVE_LINE = "negative_line"
    LINE_WITHOUT_SKU = "line_without_sku"
    TAXED_SHIPPING = "taxed_shipping"
    TAX_WITHOUT_RATE = "tax_without_rate"
    LINES_DO_NOT_ADD_UP = "lines_do_not_add_up"
    CAPTURED_IN_PART = "captured_in_part"
    TOTALS_DIFFER = "totals_differ"
    TAX_DIFFERS = "tax_differs"
    UNKNOWN_SKU = "unknown_sku"
    UNKNOWN_TAX = "unknown_tax"
    CURRENCY_NOT_IN_ZOHO = "currency_not_in_zoho"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"


class Problem(Fact):
    """One reason against an order. `message` holds ids, codes and money only: it may be shown anywhere."""

    code: ProblemCode
    message: str

    @classmethod
    def of(cls, code: ProblemCode, fault: str, cure: str) -> Problem:
        """What is wrong, and what to do about it, as one sentence."""
        return cls(code=code, message=f"{fault}; {cure}")

    @classmethod
    def of_currency(cls, error: UnknownCurrency) -> Problem:
        """The problem of a payment that could not even be read, for its currency has no known decimals."""
        return cls(code=ProblemCode.UNKNOWN_CURRENCY, message=str(error))
