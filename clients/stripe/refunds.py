"""Refunds of one Stripe account: read as facts, named, marked."""

from __future__ import annotations

from collections.abc import Mapping

import stripe

from clients.errors import Refused
from clients.stripe.raw import Raw, moment, money, part, reference, text
from clients.stripe.search import PAGE, answer, every
from domain.money import Money
from domain.refunds import RefundFacts, RefundNamed, RefundStatus

# A canceled refund gave nothing back, as a failed one; one that requires an action of the buyer is under way.
_STATUS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class StripeRefunds:
    """What a refund's run asks of Stripe. Raises ClientErrors and UnknownCurrency."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def fetch(self, refund_id: str) -> RefundFacts:
        """The refund with what was captured, and what earlier refunds of the charge gave back. Two requests, and one
        for each further hundred refunds. Refused for one that belongs to no charge.
        """
        wants: stripe.params.RefundRetrieveParams = {"expand": ["charge"]}
        refund = await answer(self._client.v1.refunds.retrieve_async(refund_id, wants))
        charge = part(refund, "charge")
        if not charge:
            raise Refused("stripe", f"{refund_id} belongs to no charge", code="no_charge")
        rows = await every(self._client.v1.refunds.list_async({"charge": text(charge, "id"), "limit": PAGE}))
        return _facts(refund, charge, rows)

    async def named(self, object_id: str) -> list[RefundNamed]:
        """The refund `re_…` itself, or every refund of the charge `ch_…`, newest first, each with its payment."""
        if object_id.startswith(("re_", "pyr_")):
            return [_named(await answer(self._client.v1.refunds.retrieve_async(object_id)))]
        rows = await every(self._client.v1.refunds.list_async({"charge": object_id, "limit": PAGE}))
        return [_named(row) for row in rows]

    async def mark(self, refund_id: str, metadata: Mapping[str, str], *, idempotency_key: str) -> None:
        """Merges `metadata` into the refund's; "" removes one. One request."""
        params: stripe.params.RefundUpdateParams = {"metadata": dict(metadata)}
        options: stripe.RequestOptions = {"idempotency_key": idempotency_key}
        await answer(self._client.v1.refunds.update_async(refund_id, params, options), write=True)


def _facts(refund: Raw, charge: Raw, rows: list[Raw]) -> RefundFacts:
    currency = text(refund, "currency")
    return RefundFacts(
        refund_id=text(refund, "id"),
        payment_id=_payment(refund),
        money=money(refund, "amount", currency),
        status=_status(refund),
        at=moment(refund, "created"),
        captured=money(charge, "amount_captured", currency),
        before=_before(refund, rows, currency),
        reason=text(refund, "failure_reason"),
    )


def _before(refund: Raw, rows: list[Raw], currency: str) -> tuple[Money, ...]:
    """What the refunds made before this one gave back, oldest first; those that failed gave nothing.

    `created` has a second's resolution: of two in one second the smaller id counts as the earlier one.
    """
    standing = sorted((row for row in rows if _status(row) is not RefundStatus.FAILED), key=_age)
    return tuple(money(row, "amount", currency) for row in standing if _age(row) < _age(refund))


def _age(refund: Raw) -> tuple[int, str]:
    created = refund.get("created")
    return created if isinstance(created, int) else 0, text(refund, "id")


def _status(refund: Raw) -> RefundStatus:
    return _STATUS.get(text(refund, "status"), RefundStatus.PENDING)


def _payment(refund: Raw) -> str:
    return reference(refund, "payment_intent") or reference(refund, "charge")


def _named(refund: Raw) -> RefundNamed:
    return RefundNamed(refund_id=text(refund, "id"), payment_id=_payment(refund))
