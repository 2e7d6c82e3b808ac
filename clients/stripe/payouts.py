"""Payouts of one Stripe account and their lines, read as facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

import stripe

from clients.errors import Refused
from clients.stripe.failures import translated
from clients.stripe.moves import shaped
from clients.stripe.raw import Raw, moment, money, number, part, parts, reference, text
from clients.stripe.search import PAGE, answer
from domain.currencies import exponent
from domain.money import Money
from domain.payments import FeePart
from domain.payouts import LineKind, LinePage, Payout, PayoutKind, PayoutLine, PayoutPage, PayoutStatus, Reconciled
from domain.policy import CREDIT_NOTE_ID_KEY, ORDER_ID_KEY

_OWN = ("balance_transaction", "failure_balance_transaction")
# Texts of these are Stripe's; the others' are the shop's and may hold people's data.
_SAYS = frozenset({
    LineKind.FEE, LineKind.TAX, LineKind.ADJUSTMENT, LineKind.RESERVE, LineKind.PAYOUT, LineKind.PAYOUT_REVERSAL
})  # fmt: skip


class StripePayouts:
    """What a payout's run asks of Stripe. Raises ClientErrors and UnknownCurrency."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def fetch(self, payout_id: str) -> Payout:
        """The payout `po_…` with its own row, and the one that gave the money back. One request.

        Refused for a status that is not known: money may have moved.
        """
        wants: stripe.params.PayoutRetrieveParams = {"expand": list(_OWN)}
        payout = await answer(self._client.v1.payouts.retrieve_async(payout_id, wants))
        with shaped(payout_id):
            return _payout(payout)

    async def page(self, payout_id: str, own_id: str, after: str = "", *, limit: int = PAGE) -> LinePage:
        """The next `limit` lines (1 to 100) of an itemised payout, without its own row `own_id`. One request.

        `after` is what the page before said, "" for the first. Stripe's order: newest first.
        """
        rows, further = await self._rows({"payout": payout_id, "limit": limit, "expand": ["data.source"]}, after)
        with shaped(payout_id):
            lines = tuple(_line(row) for row in rows if text(row, "id") != own_id)
        return LinePage(lines=lines, after=further)

    async def held(self) -> dict[str, Money]:
        """What Stripe holds for the account now, available or not, by currency. One request."""
        balance = await answer(self._client.v1.balance.retrieve_async())
        with shaped("the balance"):
            return _summed([*parts(balance, "available"), *parts(balance, "pending")])

    async def statement(self, since: datetime, after: str = "") -> LinePage:
        """The next hundred balance transactions that were made from `since` on, payouts' own among them. What made each
        is named and not read: neither payment nor buyer's currency is told. One request. Newest first.
        """
        rows, further = await self._rows({"created": {"gte": int(since.timestamp())}, "limit": PAGE}, after)
        with shaped("a balance transaction"):
            return LinePage(lines=tuple(_line(row) for row in rows), after=further)

    async def _rows(self, wants: stripe.params.BalanceTransactionListParams, after: str) -> tuple[list[Raw], str]:
        if after:
            wants["starting_after"] = after
        with translated(write=False):
            listed = await self._client.v1.balance_transactions.list_async(wants)
        rows: list[Raw] = [row.to_dict() for row in listed.data]
        return rows, text(rows[-1], "id") if listed.has_more and rows else ""

    async def made(self, since: datetime, until: datetime, after: str = "", *, limit: int = PAGE) -> PayoutPage:
        """The next `limit` payouts (1 to 100) that were made from `since` up to, not including, `until`, each with its
        own rows. One request. `after` is what the page before said. Stripe's order: newest first.
        """
        begin, end = int(since.timestamp()), ceil(until.timestamp())
        wants: stripe.params.PayoutListParams = {
            "created": {"gte": begin, "lt": end}, "limit": limit, "expand": [f"data.{row}" for row in _OWN]
        }  # fmt: skip
        if after:
            wants["starting_after"] = after
        with translated(write=False):
            listed = await self._client.v1.payouts.list_async(wants)
        rows: list[Raw] = [row.to_dict() for row in listed.data]
        with shaped("a payout"):
            found = tuple(_payout(row) for row in rows)
        return PayoutPage(payouts=found, after=text(rows[-1], "id") if listed.has_more and rows else "")

    async def lines(self, payout: Payout) -> list[PayoutLine]:
        """Every line. One request for each hundred; none where Stripe does not itemise it."""
        found: list[PayoutLine] = []
        own_id = payout.own.transaction_id if payout.own else ""
        after, more = "", payout.itemised
        while more:
            page = await self.page(payout.payout_id, own_id, after)
            found += page.lines
            after = page.after
            more = bool(after)
        return found


def _summed(rows: Sequence[Raw]) -> dict[str, Money]:
    """By currency, available and pending together."""
    sums: dict[str, Money] = {}
    for row in rows:
        currency = _currency(row)
        amount = money(row, "amount", currency)
        sums[currency] = sums[currency] + amount if currency in sums else amount
    return sums


def _payout(payout: Raw) -> Payout:
    payout_id, currency = text(payout, "id"), _currency(payout)
    instant = text(payout, "method") == "instant"
    kind = PayoutKind.INSTANT if instant else PayoutKind.MANUAL
    return Payout(
        payout_id=payout_id,
        money=money(payout, "amount", currency),
        kind=PayoutKind.AUTOMATIC if payout.get("automatic") is True else kind,
        status=PayoutStatus(_known(payout, "status", list(PayoutStatus))),
        reconciled=Reconciled(_known(payout, "reconciliation_status", list(Reconciled))),
        created=moment(payout, "created"),
        arrival=moment(payout, "arrival_date"),
        own=_line_at(payout, _OWN[0]),
        returned=_line_at(payout, _OWN[1]),
        failure=text(payout, "failure_code"),
        trace=text(part(payout, "trace_id"), "value"),
    )


def _known(payout: Raw, key: str, words: list[str]) -> str:
    word = text(payout, key)
    if word not in words:
        named = f"{text(payout, 'id')} has the unknown {key} {word!r}"
        raise Refused("stripe", f"{named}; update Throughline", code="shape")
    return word


def _line_at(payout: Raw, key: str) -> PayoutLine | None:
    row = part(payout, key)
    return _line(row) if row else None


def _line(row: Raw) -> PayoutLine:
    """A balance transaction; what made it is told where it is expanded."""
    currency, source = _currency(row), part(row, "source")
    line = PayoutLine(
        transaction_id=text(row, "id"),
        category=text(row, "reporting_category"),
        type=text(row, "type"),
        amount=money(row, "amount", currency),
        fee=money(row, "fee", currency),
        net=money(row, "net", currency),
        parts=tuple(_fee_part(detail) for detail in parts(row, "fee_details")),
        charged=_charged(row, source),
        rate=number(row.get("exchange_rate")),
        source_id=reference(row, "source"),
        payment_id=_payment(source),
        at=moment(row, "created"),
        named=tuple(filter(None, (text(part(source, "metadata"), key) for key in (ORDER_ID_KEY, CREDIT_NOTE_ID_KEY)))),
    )
    return line.model_copy(update={"says": text(row, "description")}) if line.kind in _SAYS else line


def _charged(row: Raw, source: Raw) -> Money | None:
    """The amount in the buyer's currency, with the row's sign; None where there is no buyer."""
    name = {"charge": "amount_captured", "refund": "amount", "dispute": "amount"}.get(text(source, "object"))
    if name is None:
        return None
    found = money(source, name, _currency(source))
    amount = row.get("amount")
    return -found if isinstance(amount, int) and amount < 0 else found


def _payment(source: Raw) -> str:
    """The payment of a charge, refund or dispute: its intent, or the charge of one without."""
    if text(source, "object") == "charge":
        return reference(source, "payment_intent") or text(source, "id")
    return reference(source, "payment_intent") or reference(source, "charge")


def _fee_part(detail: Raw) -> FeePart:
    amount = money(detail, "amount", _currency(detail))
    return FeePart(kind=text(detail, "type"), amount=amount, description=text(detail, "description"))


def _currency(raw: Raw) -> str:
    currency = text(raw, "currency").upper()
    exponent(currency)
    return currency
