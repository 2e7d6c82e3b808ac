"""Card numbers have no place here: found by issuer's range and check digit, and masked before anything is kept."""

from __future__ import annotations

import re

_RUN = re.compile(r"(?<![\w+])\d(?:[ -]?\d){13,}(?!\w)")
_GROUP_START = re.compile(r"(?<!\d)\d")
_LENGTHS = range(19, 13, -1)
# Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro. Thirteen digits are left alone: they are
# an article's bar code far more often than one of the few cards that were ever that short.
_ISSUED = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}|(?:50|5[6-9]|6\d)\d{14,17}"
)


def mask_cards(text: str) -> str:
    """`text` with every card number reduced to its last four digits."""
    return _RUN.sub(lambda run: _masked(run.group()), text)


def _masked(run: str) -> str:
    """A run of digit groups, without the card numbers that begin and end at a group's border."""
    for start in (found.start() for found in _GROUP_START.finditer(run)):
        for length in _LENGTHS:
            end = _end_of(run, start, length)
            if end and _is_card(re.sub(r"\D", "", run[start:end])):
                return f"{run[:start]}****{run[end - 4 : end].replace(' ', '')}{_masked(run[end:])}"
    return run


def _end_of(run: str, start: int, length: int) -> int:
    """Where the `length`th digit from `start` ends, if a group ends there too; else 0."""
    places = [place for place in range(start, len(run)) if run[place].isdigit()][:length]
    end = places[-1] + 1
    return end if len(places) == length and not run[end : end + 1].isdigit() else 0


def _is_card(digits: str) -> bool:
    if not _ISSUED.fullmatch(digits):
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0
