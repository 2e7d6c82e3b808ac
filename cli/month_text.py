"""A month in words and in rows: what is said of it on every page, and the sheet for the accountant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from domain.money import Money
from domain.months import Flow, Month, Move
from domain.sheets import to_sheet

FLOWS = {
    Flow.CAPTURED: "Captured from buyers",
    Flow.REFUNDED: "Refunded to buyers",
    Flow.DISPUTED: "Taken by disputes",
    Flow.DISPUTE_FEES: "Fees of disputes",
    Flow.FEES: "Stripe's fees",
    Flow.TAX: "Tax on fees",
    Flow.EXCHANGE: "Gain or loss by rates",
    Flow.RESERVED: "Held back by Stripe",
    Flow.ADJUSTED: "Adjustments",
    Flow.TOPPED_UP: "Sent to Stripe",
    Flow.PAID_OUT: "Paid out to the bank",
    Flow.UNKNOWN: "Of an unknown kind",
}
SHEET = (
    "date", "time", "transaction", "what", "account", "in", "out", "currency", "balance", "payout", "document", "source"
)  # fmt: skip


def figure(money: Money, *, sign: bool = False) -> str:
    """`1,234.50`, below zero with a real minus; `sign` puts a plus before what came in."""
    text = f"{abs(money).decimal():,f}"
    if money.minor < 0:
        return f"\N{MINUS SIGN}{text}"
    return f"+{text}" if sign and money.minor else text


def day(at: datetime, zone: str) -> str:
    """`2026-11-30`, by the clocks there."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def title(month: Month) -> str:
    """`November 2026`."""
    return f"{month.span.begin.astimezone(ZoneInfo(month.span.zone)):%B %Y}"


def verdict(month: Month) -> str:
    """What the month comes to, in a sentence."""
    so_far = "" if month.over else " The month is not over: this is how it stands."
    if not month.balanced:
        off = ", ".join(f"{abs(one.difference)}" for one in month.balances if one.difference)
        return f"Does not add up: {off or 'some rows'} off.{so_far}"
    unproved = [one for one in month.payouts if not one.proved]
    if unproved:
        noun = "payout has" if len(unproved) == 1 else "payouts have"
        return f"Adds up to the cent, but {len(unproved)} {noun} no certificate that proves it.{so_far}"
    proved = f" and all {len(month.payouts)} certificates verify" if len(month.payouts) > 1 else ""
    proved = " and its certificate verifies" if len(month.payouts) == 1 else proved
    return f"Adds up to the cent{proved}.{so_far}"


def open_words(month: Month) -> str:
    """How much is open, and the money that depends on it."""
    if not month.open:
        return "Nothing is open."
    risk = ", ".join(str(one) for one in month.at_risk)
    noun = "thing is" if len(month.open) == 1 else "things are"
    return f"{len(month.open)} {noun} open" + (f", {risk} at risk." if risk else ".")


def to_csv(month: Month) -> str:
    """Every posting in the order of time, with the balance after it: from opening to closing, currency by currency.

    `in` and `out` of the clearing account and `balance` are major units with a point; days by the clocks there.
    """
    return to_sheet(SHEET, (row for one in month.balances for row in _currency(month, one.currency, one.opening)))


def _currency(month: Month, currency: str, opening: Money) -> Iterator[dict[str, str]]:
    moves = [one for one in month.moves if one.money.currency == currency]
    balances = accumulate((one.money for one in moves), lambda so_far, money: so_far + money, initial=opening)
    zone, blank = month.span.zone, dict.fromkeys(SHEET, "")
    yield blank | {"date": day(month.span.begin, zone), "what": "Opening balance"} | _balance(opening)
    last = opening
    for move, (_, last) in zip(moves, pairwise(balances), strict=True):
        yield _row(move, zone) | _balance(last)
    yield blank | {"date": _last_day(month), "what": "Closing balance"} | _balance(last)


def _last_day(month: Month) -> str:
    last = min(month.span.end, month.made_at)
    return day(last.fromtimestamp(last.timestamp() - 1, last.tzinfo), month.span.zone)


def _balance(money: Money) -> dict[str, str]:
    return {"currency": money.currency, "balance": f"{money.decimal():f}"}


def _row(move: Move, zone: str) -> dict[str, str]:
    amount = f"{abs(move.money).decimal():f}"
    at = move.at.astimezone(ZoneInfo(zone))
    return {
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M:%S}",
        "transaction": move.transaction_id,
        "what": FLOWS[move.flow],
        "account": move.account,
        "in": amount if move.money.minor > 0 else "",
        "out": amount if move.money.minor < 0 else "",
        "payout": move.payout_id,
        "document": move.document,
        "source": move.source,
    }


def short(names: Iterable[str]) -> str:
    """A list of names, the first few of many."""
    shown = list(names)
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
