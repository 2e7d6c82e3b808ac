"""What happened in a Stripe account, page by page: its events, and the money that moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import stripe

from clients.stripe.moves import shaped
from clients.stripe.raw import Raw, moment, part, parts, reference, text
from clients.stripe.search import PAGE, answer, every
from domain.backfills import ChargePage, ChargeRow
from domain.sweeps import MoneyRow

MOST_TYPES = 20  # of one question (docs.stripe.com/api/events/list)
_SECOND = timedelta(seconds=1)  # Stripe's times have no finer parts


class StripeHistory:
    """What a sweep asks of Stripe. Raises ClientErrors. Times are UTC, `since` counts and `until` does not."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def event(self, event_id: str) -> Raw:
        """The event as Stripe keeps it, for 30 days. One request."""
        return await answer(self._client.v1.events.retrieve_async(event_id))

    async def events(
        self, types: Sequence[str], since: datetime, until: datetime, after: str = ""
    ) -> tuple[list[Raw], str]:
        """A hundred events, the newest first, and where the next page goes on, "" on the last. One request."""
        params = _events(types, since, until)
        if after:
            params["starting_after"] = after
        return _page(await answer(self._client.v1.events.list_async(params)))

    async def undelivered(self, types: Sequence[str], since: datetime, until: datetime) -> set[str]:
        """The ids of events that an endpoint has not taken, or not yet. One request for each hundred."""
        params = _events(types, since, until)
        params["delivery_success"] = False
        return {text(row, "id") for row in await every(self._client.v1.events.list_async(params))}

    async def money(self, since: datetime, until: datetime, after: str = "") -> tuple[list[MoneyRow], str]:
        """A hundred balance transactions with what made them, the newest first, and where the next page goes on."""
        begin, end = int(since.timestamp()), int(until.timestamp())
        params: stripe.params.BalanceTransactionListParams = {
            "created": {"gte": begin, "lt": end}, "limit": PAGE, "expand": ["data.source"]
        }  # fmt: skip
        if after:
            params["starting_after"] = after
        rows, further = _page(await answer(self._client.v1.balance_transactions.list_async(params)))
        with shaped("a balance transaction"):
            return [_moved(row) for row in rows], further

    async def charges(self, since: datetime, until: datetime, span: timedelta) -> ChargePage:
        """The charges that took money, the oldest first, from `since` on, all until the page's `until`.

        Stripe lists the newest first and knows no end to begin at, so a time that holds more than a hundred is halved:
        one request for each halving, about one and a half a page on the way through a long time.
        """
        end = min(until, since + max(span, _SECOND))
        while True:
            listed = await answer(self._client.v1.charges.list_async(_charges(since, end)))
            rows, further = _page(listed)
            if not further:
                break
            if end - since <= _SECOND:
                rows = await every(self._client.v1.charges.list_async(_charges(since, end)))
                break
            seconds = max(1, int((end - since).total_seconds()) // 2)
            end = since + timedelta(seconds=seconds)
        tried = end - since
        with shaped("a charge"):
            kept = tuple(_charged(row) for row in reversed(rows) if _took_money(row))
        return ChargePage(rows=kept, until=end, span=tried * 2 if len(rows) * 2 <= PAGE else tried)


def _events(types: Sequence[str], since: datetime, until: datetime) -> stripe.params.EventListParams:
    begin, end = int(since.timestamp()), int(until.timestamp())
    return {"types": list(types), "created": {"gte": begin, "lt": end}, "limit": PAGE}


def _charges(since: datetime, until: datetime) -> stripe.params.ChargeListParams:
    return {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}, "limit": PAGE}


def _took_money(row: Raw) -> bool:
    return row.get("status") == "succeeded" and row.get("captured") is True


def _charged(row: Raw) -> ChargeRow:
    charge_id = text(row, "id")
    return ChargeRow(
        payment_id=reference(row, "payment_intent") or charge_id,
        charge_id=charge_id,
        at=moment(row, "created"),
        refunded=bool(row.get("amount_refunded")),
        disputed=row.get("disputed") is True,
    )


def _page(listed: Raw) -> tuple[list[Raw], str]:
    rows = parts(listed, "data")
    return rows, text(rows[-1], "id") if rows and listed.get("has_more") is True else ""


def _moved(row: Raw) -> MoneyRow:
    source = reference(row, "source")
    made = part(row, "source")
    return MoneyRow(
        transaction_id=text(row, "id"),
        category=text(row, "reporting_category"),
        source=source,
        payment_id=reference(made, "payment_intent") or reference(made, "charge") or source,
        at=moment(row, "created"),
    )
