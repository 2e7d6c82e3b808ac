"""Amounts as Stripe takes them: integer minor units, with each currency's own steps, and tax computed on them.

Source of the currency lists: docs.stripe.com/currencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.errors import ApiError

ZERO_DECIMAL = frozenset({
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
})  # fmt: skip
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_UNITS_ONLY = frozenset({"isk", "ugx"})
TWO_DECIMAL = frozenset({
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn",
    "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc",
    "cve", "czk", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd",
    "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "kes", "kgs", "khr",
    "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mkd", "mmk", "mnt", "mop", "mur",
    "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "pab", "pen", "pgk",
    "php", "pkr", "pln", "qar", "ron", "rsd", "rub", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle",
    "sos", "srd", "std", "szl", "thb", "tjs", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "usd",
    "uyu", "uzs", "wst", "xcd", "yer", "zar", "zmw",
})  # fmt: skip
LARGEST = {"inr": 999_999_999, "idr": 999_999_999_999}
SMALLEST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip


def exponent(currency: str) -> int:
    """How many decimals the minor unit of this lower-case currency has in Stripe's amounts."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """The smallest difference two amounts can have, in minor units."""
    if currency in THREE_DECIMAL:
        return 10
    return 100 if currency in WHOLE_UNITS_ONLY else 1


def check_currency(currency: str) -> str:
    """The currency in lower case; ApiError where Stripe does not know it."""
    code = currency.lower()
    if code not in ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL:
        raise ApiError(f"Invalid currency: {code}.", param="currency")
    return code


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """An amount that can be charged, unchanged; ApiError where it cannot."""
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise ApiError(message, code="parameter_invalid_integer", param=param)
    if amount < SMALLEST.get(currency, 1):
        message = f"Amount must be at least {SMALLEST[currency]} {currency} in minor units"
        raise ApiError(message, code="amount_too_small", param=param)
    if amount > LARGEST.get(currency, 99_999_999):
        raise ApiError(f"Amount is too large for {currency}", code="amount_too_large", param=param)
    if amount % step(currency):
        code = "invalid_charge_amount_no_decimal_compatible" if currency in WHOLE_UNITS_ONLY else None
        raise ApiError(f"Amounts in {currency} are multiples of {step(currency)}", code=code, param=param)
    return amount


def rounded(amount: Decimal, currency: str) -> int:
    """`amount` minor units, half up to what the currency can express."""
    unit = step(currency)
    return int((amount / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * unit


def shares(amount: int, weights: Sequence[int], unit: int) -> list[int]:
    """`amount` in proportion to `weights`, in multiples of `unit`, summing exactly: largest remainder first."""
    whole = sum(weights)
    parts = [divmod(amount // unit * weight, whole) if whole else (0, 0) for weight in weights]
    left = amount // unit - sum(quotient for quotient, _ in parts)
    order = sorted(range(len(weights)), key=lambda index: (-parts[index][1], index))
    extra = set(order[:left])
    return [(quotient + (index in extra)) * unit for index, (quotient, _) in enumerate(parts)]


def taxed(base: int, rates: Sequence[tuple[Decimal, bool]], currency: str) -> list[int]:
    """The tax of each (percentage, inclusive) on `base`; inclusive ones are taken out of it, others come on top."""
    inside = sum((percentage for percentage, inclusive in rates if inclusive), Decimal(0))
    within = {
        index: rounded(base * percentage / (100 + inside), currency)
        for index, (percentage, inclusive) in enumerate(rates)
        if inclusive
    }
    net = base - sum(within.values())
    return [
        within[index] if inclusive else rounded(net * percentage / 100, currency)
        for index, (percentage, inclusive) in enumerate(rates)
    ]
