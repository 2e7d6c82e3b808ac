"""What a shop's story came to, in a form that two tellings share: ids by order of appearance, no times."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import ndiff
from pprint import pformat
from typing import Any

from cli.ledger_check import check
from tests.endtoend.shops import Shop
from tests.house import BUYER, House

# What differs between two runs that did the same: names that are made at random, and everything made of them.
_NAMES = re.compile(
    r"shop-\d+-[0-9a-f]{8}"  # a connection
    r"|S[OH]-(ch-)?[A-Za-z0-9]+"  # an order's or a shipment's number, made of the payment's id
    r"|\b[A-Z0-9]{8}-\d{4}\b"  # the number of Stripe's invoice
    r"|\b[a-z]{2,8}_(?=\w*[A-Z0-9])\w{6,}"  # Stripe's ids
    r"|\b\d{10,}\b"  # Zoho's ids
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b"
    r"|127\.0\.0\.1:\d+"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.+Z-]+|\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECONDS = range(1_500_000_000, 4_000_000_000)  # numbers in here are Unix times: no amount of ours is as large
_UNTOLD = ("calls", "deliveries", "invoice_prefix")  # how often was asked and rung; what is made at random


LINES = [
    {"sku": "MUG", "unit_amount": 1500, "quantity": 2, "tax_percent": 19},
    {"sku": "TEA", "unit_amount": 999, "quantity": 3, "tax_percent": 7},
]
MOVED = {**BUYER, "address": {"line1": "Neue Str. 2", "city": "Hamburg", "postal_code": "20095", "country": "DE"}}


@dataclass(frozen=True)
class Outcome:
    """What a shop's story came to: both ledgers, how often each kind of write was asked of Zoho, and the trail."""

    ledgers: Any
    writes: Mapping[str, int]
    audit: list[str]

    def books(self) -> Outcome:
        """The same, however often was asked."""
        return replace(self, writes={})


async def undisturbed(shop: Shop) -> dict[int, Outcome]:
    """What one and two payments come to where nothing goes wrong."""
    result = {}
    for story in (1, 2):
        await shop.done(await tell(shop, story))
        result[story] = await outcome(shop)
    return result


async def tell(shop: Shop, story: int) -> str:
    """The story's payment: of a new guest, or of the same one who has moved since."""
    return await shop.pays(guest=BUYER if story == 1 else MOVED, lines=LINES)


async def until(house: House, holds: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Waits until Stripe's deliveries are as wanted."""
    async with asyncio.timeout(60):
        while True:
            if holds((await house.stripe(only="deliveries"))["deliveries"]):
                return
            await asyncio.sleep(0.1)


async def everything_told(house: House) -> None:
    """Waits until every event of the shop has been taken, but for those that the sandbox was told to lose."""
    await until(house, lambda rows: all(row["state"] in ("delivered", "lost") for row in rows))


async def outcome(shop: Shop) -> Outcome:
    """What both ledgers and the audit trail say, once Stripe has told everything. The invariants hold."""
    await everything_told(shop)
    stripe, zoho = await shop.stripe(), await shop.books()
    found = check(stripe, zoho)
    assert not found, "; ".join(map(str, found))
    report = await shop.store.audit.verify(shop.slug)
    assert report.ok, report.reason
    entries = await shop.store.audit.entries(shop.slug)
    calls = {name: count for name, count in zoho["calls"]["counts"].items() if not name.startswith("GET ")}
    return Outcome(canonical(stripe, zoho), calls, sorted(_NAMES.sub("<id>", entry.step) for entry in entries))


def differences(expected: Outcome, found: Outcome) -> list[str]:
    """The lines in which two outcomes differ, - where expected and + where found."""
    if expected == found:
        return []
    first, second = (pformat(one, width=200).splitlines() for one in (expected, found))
    return [line for line in ndiff(first, second) if line[0] in "-+"]


class _Names:
    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def __call__(self, match: re.Match[str]) -> str:
        return self._given.setdefault(match.group(), f"<{len(self._given) + 1}>")


def canonical(*ledgers: Any) -> Any:
    """The ledgers of one run, names given in the order in which they appear."""
    names = _Names()
    return [_canonical(ledger, names) for ledger in ledgers]


def _canonical(value: Any, names: _Names) -> Any:
    if isinstance(value, dict):
        return {_NAMES.sub(names, key): _canonical(one, names) for key, one in value.items() if key not in _UNTOLD}
    if isinstance(value, list):
        return [_canonical(one, names) for one in value]
    if isinstance(value, str):
        return _NAMES.sub(names, _DAY.sub("day", _MOMENT.sub("moment", value)))
    if isinstance(value, int) and not isinstance(value, bool) and value in _SECONDS:
        return "moment"
    return value.normalize() if isinstance(value, Decimal) else value
