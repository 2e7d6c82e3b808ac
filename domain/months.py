"""A month of Stripe's clearing account: when it ends, what moved, and what does not add up."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from domain.money import Money
from domain.payments import Fact

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class NoMonth(ValueError):
    """A text names no month that can be shown; the message says how to write one."""


class MonthSpan(Fact):
    """A calendar month in a time zone (IANA): from `begin` up to, not including, `end`, both UTC."""

    name: str
    zone: str
    begin: AwareDatetime
    end: AwareDatetime

    def holds(self, at: datetime) -> bool:
        """Whether the moment is in the month."""
        return self.begin <= at < self.end


def month_of(name: str, zone: str, now: datetime) -> MonthSpan:
    """The month `2026-11`, or for "" the last one that is over; NoMonth where it is none or has not begun."""
    local = now.astimezone(ZoneInfo(zone))
    year, month = (local.year, local.month - 1) if local.month > 1 else (local.year - 1, 12)
    if name:
        named = _MONTH.fullmatch(name)
        if named is None or not 2000 <= int(named[1]) < 9999:
            raise NoMonth(f"{name!r} is no month: write it as {local:%Y-%m}")
        year, month = int(named[1]), int(named[2])
    begin, end = _first(year, month, zone), _first(year + month // 12, month % 12 + 1, zone)
    if begin > now:
        raise NoMonth(f"{year:04}-{month:02} has not begun yet in {zone}: it is {local:%Y-%m-%d}")
    return MonthSpan(name=f"{year:04}-{month:02}", zone=zone, begin=begin, end=end)


def _first(year: int, month: int, zone: str) -> datetime:
    """The moment at which a month begins there, whatever its clocks do."""
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


class Flow(StrEnum):
    """What moved the money, in the order in which it is shown."""

    CAPTURED = "captured"  # charges, less what bounced or was not captured after all
    REFUNDED = "refunded"  # to buyers, less what came back
    DISPUTED = "disputed"  # taken by buyers' banks, less what they gave back
    DISPUTE_FEES = "dispute_fees"  # what disputes cost
    FEES = "fees"  # Stripe's, without tax
    TAX = "tax"  # on fees, and what Stripe kept for the state
    EXCHANGE = "exchange"  # gain and loss by rates
    RESERVED = "reserved"  # held back by Stripe, less what it let go
    ADJUSTED = "adjusted"  # Stripe's corrections
    TOPPED_UP = "topped_up"  # sent to Stripe by the shop
    PAID_OUT = "paid_out"  # to the bank, less what came back
    UNKNOWN = "unknown"  # of a category that this release does not know


class Move(Fact):
    """One posting of the month: `money` into the clearing account, below zero out of it.

    `account` is what it is for, as in the certificates; `payout_id` is "" for money that no certificate has yet, and
    `document` "" where no document of the books carries it.
    """

    at: AwareDatetime
    transaction_id: str
    flow: Flow
    account: str
    money: Money
    payout_id: str = ""
    document: str = ""
    source: str = ""


class FlowSum(Fact):
    """What one flow came to, in how many balance transactions."""

    flow: Flow
    money: Money
    rows: int


class Balance(Fact):
    """One currency's month. `opening` and `closing` are what Stripe says that it held, `difference` is what opening and
    flows come to more than closing: nothing, in a month that adds up.

    `waiting` is the month's money that is in no certificate yet; `on_its_way` left in the month, and reaches the bank
    after it.
    """

    opening: Money
    flows: tuple[FlowSum, ...] = ()
    closing: Money
    difference: Money
    waiting: Money
    waiting_rows: int = 0
    on_its_way: Money

    @property
    def currency(self) -> str:
        """Its currency."""
        return self.opening.currency


class Discrepancy(Fact):
    """One thing that does not add up: `off` is by how much our certificates say more than Stripe."""

    transaction_id: str
    message: str
    off: Money


class MonthPayout(Fact):
    """A payout of the month, with its newest certificate. `version` 0: there is none. `flaws` is why it does not prove
    the payout; `findings` is how much of it is still to be looked at or booked.
    """

    payout_id: str
    money: Money
    kind: str
    status: str
    created: AwareDatetime
    arrival: AwareDatetime
    version: int = 0
    hash: str = ""
    lines: int = 0
    findings: int = 0
    flaws: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether there is a certificate, and it verifies."""
        return self.version > 0 and not self.flaws


class OpenItem(Fact):
    """What is still open: `about` a payout or a run, `payment_id` the payment that it concerns, "" where none is known;
    `at_risk` the money that depends on it, None where that is not known or counted elsewhere.
    """

    about: str
    payment_id: str = ""
    kind: str
    message: str
    at_risk: Money | None = None


class Month(Fact):
    """A month as it was seen at the time `made_at`. `unseen`: what could not be looked at, as sentences."""

    connection: str
    span: MonthSpan
    made_at: AwareDatetime
    payouts: tuple[MonthPayout, ...] = ()
    balances: tuple[Balance, ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()
    open: tuple[OpenItem, ...] = ()
    moves: tuple[Move, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Whether the month had ended."""
        return self.span.end <= self.made_at

    @property
    def balanced(self) -> bool:
        """Whether every cent is where it should be."""
        return not self.discrepancies and not any(one.difference for one in self.balances)

    @property
    def proved(self) -> bool:
        """Whether every payout of the month has a certificate that verifies."""
        return all(one.proved for one in self.payouts)

    @property
    def at_risk(self) -> tuple[Money, ...]:
        """The money that depends on what is open, by currency."""
        sums: dict[str, Money] = {}
        for one in self.open:
            if one.at_risk is not None:
                currency = one.at_risk.currency
                sums[currency] = sums[currency] + one.at_risk if currency in sums else one.at_risk
        return tuple(sums.values())
