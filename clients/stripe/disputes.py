"""Disputes of one Stripe account, read as facts."""

from __future__ import annotations

import stripe

from clients.errors import Refused
from clients.stripe.moves import moved, shaped
from clients.stripe.raw import Raw, moment, money, part, parts, reference, text
from clients.stripe.search import PAGE, answer, every
from domain.disputes import DisputeFacts, DisputeStatus
from domain.money import Money

_STATUS = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.DROPPED,
    "prevented": DisputeStatus.DROPPED,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "appeal_needs_response": DisputeStatus.OPEN,
    "appeal_under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


class StripeDisputes:
    """What a dispute's run asks of Stripe. Raises ClientErrors and UnknownCurrency."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def fetch(self, dispute_id: str) -> DisputeFacts:
        """The dispute `dp_…` or `du_…`. One request. Refused for a status that is not known: money may have moved."""
        dispute = await answer(self._client.v1.disputes.retrieve_async(dispute_id))
        with shaped(dispute_id):
            return _facts(dispute)

    async def captured(self, charge_id: str, currency: str) -> Money:
        """What the disputed charge brought. One request. Refused (`currency`) where it is not in that currency."""
        charge = await answer(self._client.v1.charges.retrieve_async(charge_id))
        if text(charge, "currency").upper() != currency:
            raise Refused("stripe", f"{charge_id} is not in {currency}, in which it is disputed", code="currency")
        with shaped(charge_id):
            return money(charge, "amount_captured", currency)

    async def of(self, payment_id: str) -> list[DisputeFacts]:
        """Every dispute of the payment `pi_…` (or charge `ch_…`), newest first. One request for each hundred."""
        by: stripe.params.DisputeListParams = {"limit": PAGE}
        by["payment_intent" if payment_id.startswith("pi_") else "charge"] = payment_id
        rows = await every(self._client.v1.disputes.list_async(by))
        with shaped(payment_id):
            return list(map(_facts, rows))


def _facts(dispute: Raw) -> DisputeFacts:
    dispute_id, word, currency = text(dispute, "id"), text(dispute, "status"), text(dispute, "currency")
    if word not in _STATUS:
        raise Refused("stripe", f"{dispute_id} has the unknown status {word!r}; update Throughline", code="shape")
    details = part(dispute, "evidence_details")
    moves = [moved(row) for row in sorted(parts(dispute, "balance_transactions"), key=_age)]
    return DisputeFacts(
        dispute_id=dispute_id,
        payment_id=reference(dispute, "payment_intent") or reference(dispute, "charge"),
        charge_id=reference(dispute, "charge"),
        money=money(dispute, "amount", currency),
        status=_STATUS[word],
        reason=text(dispute, "reason"),
        opened=moment(dispute, "created"),
        needs_response=word.endswith("needs_response"),
        due_by=None if details.get("due_by") is None else moment(details, "due_by"),
        withdrawn=tuple(one for one in moves if one.money.minor < 0),
        reinstated=tuple(one for one in moves if one.money.minor >= 0),
    )


def _age(row: Raw) -> tuple[int, bool]:
    """By time; of two in one second the withdrawal comes first."""
    created, amount = row.get("created"), row.get("amount")
    return created if isinstance(created, int) else 0, isinstance(amount, int) and amount >= 0
