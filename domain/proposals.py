"""An inventory adjustment that somebody made for goods that came back: what it says, and which pieces it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from domain.credits import CreditedPieces, Returned, Sold, SoldLine
from domain.payments import Fact
from domain.policy import ReturnPolicy
from domain.returns import GivenResult, ReturnEvent, ReturnRef, ReturnSeen, SeenInZoho
from domain.runs import PaymentInput

_COUNTS = ("", "adjusted")
_QUANTITY = ("", "quantity")
_PAYMENTS = ("pi_", "ch_", "py_")


class ProposalInput(PaymentInput):
    """What an adjustment's run starts with: Zoho's id of it. Its payment is found by the run, "" until then."""

    adjustment_id: str
    event: ReturnEvent | None = None


class ProposalQuery(ReturnRef):
    """An adjustment to be read, with the custom field (api_name) that may name its order."""

    field: str = ""


class OrderNamed(ReturnRef):
    """An order as a person named it: by its number, its id in Zoho or its payment in Stripe."""

    named: str


class OrderFound(Fact):
    """The order in Zoho, "" where there is none."""

    salesorder_id: str = ""


class ProposedLine(Fact):
    """Pieces of an item that came in, or, below zero, went out."""

    item_id: str
    name: str = ""
    pieces: Decimal


class ProposalSeen(SeenInZoho):
    """An adjustment as Zoho shows it. `named` is what its custom field says."""

    adjustment_id: str
    reason: str = ""
    reference: str = ""
    named: str = ""
    kind: str = ""
    lines: tuple[ProposedLine, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it has moved stock: until then it is a draft, or waits for an approval in Zoho."""
        return not self.ended and self.status in _COUNTS

    @property
    def order(self) -> str:
        """What names its order: the custom field, else its reference."""
        return self.named or self.reference

    def meant(self, policy: ReturnPolicy) -> bool:
        """Whether it proposes a refund. What has a payment's id as its reference is our own: sets and gifts."""
        agreed = policy.adjustment_reason.strip().casefold()
        says_so = bool(agreed) and self.reason.strip().casefold() == agreed
        ours = self.reference.startswith(_PAYMENTS)
        return self.kind in _QUANTITY and not ours and (says_so or bool(self.named))


class ProposalRow(Fact):
    """An adjustment as the list shows it, without custom fields."""

    adjustment_id: str
    day: str = ""
    reason: str = ""
    reference: str = ""
    kind: str = ""
    state: str = ""

    def may_be_meant(self, policy: ReturnPolicy) -> bool:
        """Whether it is worth reading: a custom field shows only then."""
        seen = ProposalSeen(adjustment_id=self.adjustment_id, reason=self.reason, reference=self.reference)
        named = "?" if policy.adjustment_order_field else ""
        return seen.model_copy(update={"kind": self.kind, "named": named}).meant(policy)


class ProposalResult(GivenResult):
    """What became of an adjustment."""

    adjustment_id: str


def credited_before(sold: Sold, returns: Iterable[ReturnSeen], notes: Iterable[CreditedPieces]) -> dict[str, Decimal]:
    """Pieces by the invoice's line that came back otherwise: by returns, and by credit notes without one."""
    invoiced = {line.order_line_id: line.line_item_id for line in sold.lines if line.order_line_id}
    back = [(invoiced.get(line.order_line_id, ""), line.pieces) for one in returns for line in one.lines]
    back += [pieces for note in notes for pieces in note.lines]
    before: dict[str, Decimal] = {}
    for line_id, pieces in back:
        before[line_id] = before.get(line_id, Decimal(0)) + pieces
    return before


def proposed_pieces(seen: ProposalSeen, sold: Sold, before: Mapping[str, Decimal]) -> tuple[Returned, ...]:
    """What came back, by the lines of the invoice, after what came back `before`; never restocked: the adjustment did.

    ValueError says what does not fit the order.
    """
    wanted: dict[str, Decimal] = {}
    names = {line.item_id: line.name or line.item_id for line in seen.lines}
    for line in seen.lines:
        wanted[line.item_id] = wanted.get(line.item_id, Decimal(0)) + line.pieces
    if out := [names[item_id] for item_id, pieces in wanted.items() if pieces < 0]:
        raise ValueError(f"it takes {', '.join(out)} out of stock: nothing came back")
    found = [
        one
        for item_id, pieces in wanted.items()
        if pieces
        for one in _of_item(item_id, names[item_id], pieces, sold, before)
    ]
    if not found:
        raise ValueError("it moves no pieces")
    return tuple(found)


def _of_item(item_id: str, name: str, pieces: Decimal, sold: Sold, before: Mapping[str, Decimal]) -> Iterable[Returned]:
    lines = [line for line in sold.lines if line.item_id == item_id and line.line_item_id]
    if not lines:
        raise ValueError(f"{name} is not in the order")
    rest = [(line, before.get(line.line_item_id, Decimal(0))) for line in lines]
    left = [(line, told, line.quantity - told) for line, told in rest if line.quantity > told]
    total = sum((room for _, _, room in left), Decimal(0))
    if pieces > total:
        raise ValueError(f"more pieces of {name} came back than were sold: {pieces}, and {total} can still come back")
    if pieces < total and any(not _same_price(line, left[0][0]) for line, _, _ in left):
        raise ValueError(f"{name} was sold at several prices, and nobody said which piece came back")
    for line, told, room in left:
        if taken := min(pieces, room):
            pieces -= taken
            yield Returned(line_item_id=line.line_item_id, quantity=taken, before=told, restock=False)


def _same_price(one: SoldLine, other: SoldLine) -> bool:
    return one.weight * other.quantity == other.weight * one.quantity
