"""Credit notes that people wrote for the money of a refund, or of a lost dispute: taken for its own, or asked about."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.credits import CreditActivities
    from activities.missing import MissingActivities
    from domain.credits import CreditWritten, PaidOut, Sold, credited_twice
    from domain.hand_credits import CreditHandQuery, said
    from domain.missing import FoundCredit
    from domain.refunds import FetchedRefund, RefundRef
    from workflows.calls import Calls
    from workflows.compensation import UndoStack
    from workflows.crediting import Crediting


# What the answer does to a credit note that was entered by hand and may be this refund's or dispute's.
_SKIP = {
    "refund": "skip writes a new one",
    "dispute": "skip books nothing, so book the loss by hand first where it is not",
}
_MADE = {"refund": "made within three days of the refund", "dispute": "made since the dispute was opened"}
_TAKEN = {"refund": "gives {} back: with a note of its own", "dispute": "took {}: booked besides it"}
_ELSE = {
    "refund": "skip with a reason: the refund gets its own",
    "dispute": "book the loss by a credit note with that reference, and retry; skip with a reason books nothing",
}


class NotesByHand:
    """What people booked of one refund, or of another `cause`: theirs, so that no end of the run takes it back.

    `number` is the number of the payment's order.
    """

    def __init__(self, calls: Calls, ref: RefundRef, number: str, cause: str = "refund") -> None:
        self._calls = calls
        self._ref = ref
        self._number = number
        self._cause = cause
        self._crediting = Crediting(calls, ref, number, UndoStack(), cause)

    def see(self, refund: FetchedRefund, sold: Sold) -> None:
        """ApplicationError `CreditByHand` where a person may have credited this very refund already."""
        if not (notes := credited_twice(sold, refund)):
            return
        refund_id, said = self._ref.refund_id, ", ".join(map(str, notes))
        raise _asks(
            f"somebody wrote credit note {said} for order {self._number}, and {refund_id} "
            f"{_TAKEN[self._cause].format(refund.money)} the sale may be credited twice. If it was written for this "
            f"{self._cause}, put {refund_id} into its reference in Zoho, then retry; if not, {_ELSE[self._cause]}"
        )

    def refuse(self, refund: FetchedRefund, sold: Sold) -> None:
        """ApplicationError `CreditByHand` where a person may have credited what is being written off."""
        refund_id, notes = self._ref.refund_id, ", ".join(map(str, sold.named or credited_twice(sold, refund)))
        if not (notes or sold.noted):
            return
        raise _asks(
            f"order {self._number} has credit note {notes or f'that names {refund_id}'}, and {refund.money} of it are "
            f"being written off for {refund_id}: one of both may be too much. Void that note in Zoho and retry, and "
            "the write-off goes on; or bring the invoice by hand to what is right and skip with a reason: nothing more "
            "is booked"
        )

    def named(self, refund: FetchedRefund, sold: Sold) -> CreditWritten:
        """The sale's credit note with the refund's (or dispute's) id as reference, where there is one.

        ApplicationError `CreditByHand` asks about one over another amount, and about several.
        """
        note = sold.named[0]
        if len(sold.named) == 1 and note.total == refund.money:
            return CreditWritten(**dict(note))
        raise self._differs(", ".join(map(str, sold.named)), refund)

    async def find(self, refund: FetchedRefund, sold: Sold, since: datetime | None = None) -> CreditWritten | None:
        """The credit note of one from before with its id as reference; None for none.

        ApplicationError `CreditByHand` asks about one over another amount, and about those of its customer that are
        only alike: within three days of the refund, or `since` a dispute was opened.
        """
        if (named := await self._crediting.find_note()) is not None:
            if named.total == refund.money:
                return named
            raise self._differs(f"{named.number} over {named.total}", refund)
        about = {"contact_id": sold.contact_id, "total": refund.money, "at": refund.at, "since": since}
        wanted = CreditHandQuery(**dict(self._ref), **about)
        summary = "Look for a credit note of the customer over this amount"
        found = await self._calls.zoho_read(CreditActivities.find_credits_by_hand, wanted, summary)
        if not found.alike:
            return None
        raise _asks(
            f"Zoho has a credit note of this customer over {refund.money}, {_MADE[self._cause]}: "
            f"{'; '.join(map(said, found.alike))}. If it is this {self._cause}'s, put "
            f"{self._ref.refund_id} into its reference and retry; {_SKIP[self._cause]}"
        )

    async def settle(self, refund: FetchedRefund, sold: Sold, note: CreditWritten) -> PaidOut:
        """What the note lacks is booked, that its money went back; both are remembered, so that a payout's line is
        matched with them.
        """
        paid = await self._crediting.pay_out(refund, sold, note)
        found = FoundCredit(
            **self._ref.model_dump(exclude={"refund_id"}),
            creditnote_id=note.creditnote_id,
            number=note.number,
            zoho_refund_id=paid.zoho_refund_id,
            money=refund.money,
            value=paid.value,
        )
        await self._calls.write(MissingActivities.keep_credit_found, found, f"Keep that {note.number} is its note")
        return paid

    def _differs(self, notes: str, refund: FetchedRefund) -> ApplicationError:
        return _asks(
            f"Zoho's credit note {notes} names {self._ref.refund_id}, the {self._cause} comes to {refund.money}: "
            f"correct it in Zoho and retry; {_SKIP[self._cause]}"
        )


def _asks(what: str) -> ApplicationError:
    return ApplicationError(what, type="CreditByHand", non_retryable=True)
