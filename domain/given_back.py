"""What has gone back of a payment, told from its refunds in Stripe, as the run of one return or adjustment needs it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from domain.credits import CreditedPieces
from domain.money import Money
from domain.payments import Fact
from domain.policy import ADJUSTMENT_ID_KEY, RETURN_ID_KEY
from domain.refunds import RefundSeen, RefundStatus
from domain.returns import ReturnRef


class ReturnMoney(Fact):
    """What Stripe says of the payment: `captured`, and `given` back by refunds that stand, ours for the return aside.

    `refund_id` is ours that stands, "" for none, over `refunded`; `failed` are ours that failed, oldest first.
    `unpaid` counts how often the money was taken out of the books again.
    `before` are the returns that money was given back for before it was for this one, oldest first; `proposed` are the
    refunds that stand and other adjustments proposed before; `after` are all refunds later than ours.
    """

    captured: Money
    given: Money
    refund_id: str = ""
    refunded: Money | None = None
    failed: tuple[str, ...] = ()
    unpaid: int = 0
    before: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def left(self) -> Money:
        """What can still go back."""
        return self.captured - self.given

    @property
    def times(self) -> int:
        """How often the books had to forget that money went back: what they forget now is another effect."""
        return self.unpaid + len(self.failed)

    @property
    def made(self) -> tuple[str, ...]:
        """Our refunds, the latest first: the one that stands, then those that failed."""
        return (*filter(None, [self.refund_id]), *reversed(self.failed))

    @property
    def latest(self) -> str:
        """Our latest refund, "" where none was made."""
        return next(iter(self.made), "")


class GiveBackInput(ReturnRef):
    """`money` to go back for a return, for the `attempt`th time (from 0), with what the refund's metadata shall say.

    `answers` counts what people answered until then.
    """

    money: Money
    attempt: int = 0
    answers: int = 0
    metadata: dict[str, str]
    after: int = 0


class GivenBack(Fact):
    """The refund that was made; `refused` is Stripe's word where it will not."""

    refund_id: str = ""
    refused: str = ""
    unknown: bool = False
    asked: int = 0


def money_now(captured: Money, refunds: Sequence[RefundSeen], about: ReturnRef, unpaid: int) -> ReturnMoney:
    """The payment of `captured` after its `refunds`, newest first, as `about` sees it."""
    ours = [one for one in refunds if one.metadata.get(about.named_by) == about.return_id]
    stands = [one for one in refunds if one.status is not RefundStatus.FAILED]
    mine = next((one for one in ours if one in stands), None)
    newer = refunds[: refunds.index(mine)] if mine else []
    older = [one for one in refunds if one is not mine and one not in newer]
    # A return keeps its price from its first refund on, for its credit note stands; an adjustment's note does not.
    paid = refunds if about.named_by == RETURN_ID_KEY else older
    made_for = [one.metadata.get(RETURN_ID_KEY, "") for one in reversed(paid)]
    return ReturnMoney(
        captured=captured,
        given=captured.model_copy(update={"minor": sum(one.money.minor for one in stands if one is not mine)}),
        refund_id=mine.refund_id if mine else "",
        refunded=mine.money if mine else None,
        failed=tuple(one.refund_id for one in reversed(ours) if one not in stands),
        unpaid=unpaid,
        before=paid_before(about.return_id, filter(None, made_for)),
        proposed=tuple(one.refund_id for one in older if one in stands and one.metadata.get(ADJUSTMENT_ID_KEY)),
        after=tuple(one.refund_id for one in newer),
    )


def paid_before(return_id: str, paid: Iterable[str]) -> tuple[str, ...]:
    """The returns that money went back for before it first did for `return_id`, oldest first and each once.

    `paid` names the return of each refund that was made for one, oldest first, also of one that failed: its goods are
    here, its credit note stands, so the next piece is the next one. What was only entered may come to nothing.
    """
    return tuple(dict.fromkeys(takewhile(lambda one: one != return_id, paid)))


def counted(notes: Iterable[CreditedPieces], money: ReturnMoney) -> list[CreditedPieces]:
    """The credit notes whose pieces count: those of our own refunds and of later ones do not.

    ValueError names refunds of adjustments whose pieces nobody knows: a bank may be slow, or somebody took the note
    back while the buyer has the money.
    """
    told = list(notes)
    if unknown := set(money.proposed) - {note.refund_id for note in told}:
        raise ValueError(
            f"{', '.join(sorted(unknown))} gave money back for an adjustment, and no credit note with that reference "
            "says yet for which pieces"
        )
    own = set(filter(None, (money.refund_id, *money.failed, *money.after)))
    return [note for note in told if note.refund_id not in own]
