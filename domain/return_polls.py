"""Zoho's list of returns as it is read from time to time, and what is new in it."""

from __future__ import annotations

from domain.payments import Fact
from domain.returns import ReturnEvent
from domain.runs import PaymentInput


class ReturnRow(Fact):
    """A return, or an adjustment, as its list shows it: its day (ISO), and `state`, which changes when something
    happens to it.
    """

    return_id: str
    day: str = ""
    state: str = ""


class PollInput(PaymentInput):
    """What a run starts with that reads a connection's list of returns, or adjustments; `polls` counts how often."""

    payment_id: str = ""
    polls: int = 0


class PageInput(Fact):
    """Which page (from 1) of a connection's returns is to be read."""

    connection: str
    page: int = 1


class ReturnPage(Fact):
    """What a page of returns tells: the rows that are new or have changed, of those `told` are to be carried.

    `known` counts the others; `more` pages follow; `first`: no page of this connection was ever kept.
    """

    rows: tuple[ReturnRow, ...] = ()
    told: tuple[str, ...] = ()
    known: int = 0
    more: bool = False
    first: bool = False


class KeptReturns(Fact):
    """Rows of a page that were dealt with; `begun`: the whole list has been kept once."""

    connection: str
    rows: tuple[ReturnRow, ...] = ()
    begun: bool = False


class TellReturn(Fact):
    """A return's run to be started, or woken. `again`: one that has ended is started anew."""

    connection: str
    return_id: str
    event: ReturnEvent
    again: bool = False
