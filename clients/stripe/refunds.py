"""Refunds of one Stripe account: made, read as facts, named, marked."""

from __future__ import annotations

from collections.abc import Mapping

import stripe

from clients.errors import Refused
from clients.stripe.moves import moved_at, shaped, written
from clients.stripe.raw import Raw, moment, money, part, reference, text, words
from clients.stripe.search import PAGE, answer, every
from domain.money import Money
from domain.policy import ADJUSTMENT_ID_KEY, RETURN_ID_KEY
from domain.refunds import RefundFacts, RefundNamed, RefundSeen, RefundStatus

# A canceled refund gave nothing back, as a failed one; one that requires an action of the buyer is under way.
_STATUS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
_MOVES = ("balance_transaction", "failure_balance_transaction")


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
        with shaped(refund_id):
            return _facts(refund, charge, rows)

    async def named(self, object_id: str) -> list[RefundNamed]:
        """The refund `re_…` itself, or every refund of the charge `ch_…`, newest first, each with its payment."""
        if object_id.startswith(("re_", "pyr_")):
            return [_named(await answer(self._client.v1.refunds.retrieve_async(object_id)))]
        rows = await every(self._client.v1.refunds.list_async({"charge": object_id, "limit": PAGE}))
        return [_named(row) for row in rows]

    async def look(self, refund_id: str) -> RefundSeen:
        """The refund by itself, with its metadata and what it moved. One request."""
        wants: stripe.params.RefundRetrieveParams = {"expand": list(_MOVES)}
        refund = await answer(self._client.v1.refunds.retrieve_async(refund_id, wants))
        with shaped(refund_id):
            return _seen(refund)

    async def of(self, payment_id: str) -> list[RefundSeen]:
        """Every refund of the payment `pi_…` (or charge `ch_…`), newest first: before a late retry, ours is found
        here by its metadata. One request for each hundred.
        """
        by: stripe.params.RefundListParams = {"limit": PAGE, "expand": [f"data.{name}" for name in _MOVES]}
        by["payment_intent" if payment_id.startswith("pi_") else "charge"] = payment_id
        rows = await every(self._client.v1.refunds.list_async(by))
        with shaped(payment_id):
            return list(map(_seen, rows))

    async def refundable(self, payment_id: str) -> tuple[Money, list[RefundSeen]]:
        """What the payment brought, and every refund of it, newest first. Two requests, one more for each hundred.

        NotFound where this account has no such payment.
        """
        if payment_id.startswith("pi_"):
            wants: stripe.params.PaymentIntentRetrieveParams = {"expand": ["latest_charge"]}
            intent = await answer(self._client.v1.payment_intents.retrieve_async(payment_id, wants))
            charge = part(intent, "latest_charge")
        else:
            charge = await answer(self._client.v1.charges.retrieve_async(payment_id))
        with shaped(payment_id):
            return money(charge, "amount_captured", text(charge, "currency")), await self.of(payment_id)

    async def create(
        self, payment_id: str, amount: Money, *, purpose: str = "", metadata: Mapping[str, str], idempotency_key: str
    ) -> RefundSeen:
        """Gives `amount` of the payment back. `purpose` is one of Stripe's reasons, or "". Two requests.

        Stripe takes minor units and no currency, so the payment's is asked for first: Refused (`currency`) for
        another. Stripe's own refusals: `charge_already_refunded`, `charge_disputed`, no code for more than is left;
        `idempotency_error` where the key was used for another refund. It keeps the key 24 h.
        """
        await self._refuse_other_currency(payment_id, amount)
        params: stripe.params.RefundCreateParams = {
            "amount": amount.minor, "metadata": dict(metadata), "expand": list(_MOVES)
        }  # fmt: skip
        params["payment_intent" if payment_id.startswith("pi_") else "charge"] = payment_id
        if purpose:
            params["reason"] = purpose
        options: stripe.RequestOptions = {"idempotency_key": idempotency_key}
        refund = await answer(self._client.v1.refunds.create_async(params, options), write=True)
        with written(f"a refund of {payment_id}"):
            return _seen(refund)

    async def _refuse_other_currency(self, payment_id: str, amount: Money) -> None:
        intents, charges = self._client.v1.payment_intents, self._client.v1.charges
        if payment_id.startswith("pi_"):
            payment = await answer(intents.retrieve_async(payment_id))
        else:
            payment = await answer(charges.retrieve_async(payment_id))
        currency = text(payment, "currency").upper()
        if currency != amount.currency or amount.minor <= 0:
            raise Refused("stripe", f"{payment_id} is in {currency}: {amount} cannot go back", code="currency")

    async def mark(self, refund_id: str, metadata: Mapping[str, str], *, idempotency_key: str) -> None:
        """Merges `metadata` into the refund's; "" removes one. One request."""
        params: stripe.params.RefundUpdateParams = {"metadata": dict(metadata)}
        options: stripe.RequestOptions = {"idempotency_key": idempotency_key}
        await answer(self._client.v1.refunds.update_async(refund_id, params, options), write=True)


def _seen(refund: Raw) -> RefundSeen:
    return RefundSeen(
        refund_id=text(refund, "id"),
        payment_id=_payment(refund),
        charge_id=reference(refund, "charge"),
        money=money(refund, "amount", text(refund, "currency")),
        status=_status(refund),
        at=moment(refund, "created"),
        purpose=text(refund, "reason"),
        failure=text(refund, "failure_reason"),
        metadata=words(refund),
        moved=moved_at(refund, "balance_transaction"),
        returned=moved_at(refund, "failure_balance_transaction"),
    )


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
        return_id=text(part(refund, "metadata"), RETURN_ID_KEY),
        adjustment_id=text(part(refund, "metadata"), ADJUSTMENT_ID_KEY),
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
