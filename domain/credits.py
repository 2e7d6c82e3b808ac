"""What a refund gives back of a sale, line by line and to the minor unit: the lines of its credit note."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from pydantic import AwareDatetime

from domain.money import Money
from domain.payments import Fact
from domain.policy import Restock
from domain.refunds import RefundFacts, RefundRef

_PART = "Refund in part"


class SoldLine(Fact):
    """A line of the invoice that a sale was written to.

    `net` is what it came to without tax, in major units; `shipped` says that its goods have left the house.
    """

    line_item_id: str = ""
    order_line_id: str = ""
    item_id: str = ""
    name: str = ""
    quantity: Decimal = Decimal(1)
    net: Decimal
    tax_id: str = ""
    tax_percentage: Decimal = Decimal(0)
    shipped: bool = False

    @property
    def weight(self) -> int:
        """How much of the sale the line is, its tax included; only the proportion counts."""
        return int((self.net * (100 + self.tax_percentage)).scaleb(6))


class NoteByHand(Fact):
    """A credit note of a sale that nobody of ours is known to have written; `total` is None where it is unclear."""

    creditnote_id: str
    number: str = ""
    status: str = ""
    total: Money | None = None

    def __str__(self) -> str:
        return f"{self.number or self.creditnote_id} over {self.total}"


class Sold(Fact):
    """A sale as Zoho has it: its order and invoice, and the lines (shipping is one of them).

    `invoice_id` is "" where nothing was invoiced, or what was invoiced is void. `returns` are the ids of the order's
    returns, `notes` those of its credit notes that count, which come to `credited` as far as they are in its currency
    (None where that is unclear); of these `by_hand` name no cause of Stripe's. `noted`: one of them names the refund
    that is asked about; `named` are those that do, where nobody of ours is known to have written one.
    """

    salesorder_id: str
    status: str
    contact_id: str = ""
    invoice_id: str = ""
    zoho_payment_id: str = ""
    exchange_rate: Decimal | None = None
    lines: tuple[SoldLine, ...] = ()
    returns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    credited: Money | None = None
    by_hand: tuple[NoteByHand, ...] = ()
    named: tuple[NoteByHand, ...] = ()
    noted: bool = False


class CreditLine(Fact):
    """A line of a credit note: `gross` for all its pieces, tax included."""

    gross: Money
    item_id: str = ""
    name: str = ""
    quantity: Decimal = Decimal(1)
    tax_id: str = ""
    line_item_id: str = ""
    shipped: bool = True
    restock: bool = False
    salesreturn_item_id: str = ""


class Returned(Fact):
    """Pieces of one line of the invoice that came back, after `before` did. `restock`: they are for sale again.

    `salesreturn_item_id` is the line of the return that says so.
    """

    line_item_id: str
    quantity: Decimal
    before: Decimal = Decimal(0)
    restock: bool = True
    salesreturn_item_id: str = ""


class CreditQuery(RefundRef):
    """What is looked for in Zoho: a sale by the order's number, or a document by its id."""

    number: str = ""
    document_id: str = ""


class CreditInput(RefundRef):
    """A credit note to write: for `sold`, over `total`, dated by the moment `at`; `cause` is the word for why.

    `return_id` is Zoho's return that it credits, `adjustment_id` the adjustment that proposed the refund; "" for a
    refund that was made without one.
    """

    sold: Sold
    lines: tuple[CreditLine, ...]
    total: Money
    at: AwareDatetime
    return_id: str = ""
    adjustment_id: str = ""
    cause: str = "refund"
    after: int = 0


class CreditWritten(Fact):
    """A credit note as Zoho has it."""

    creditnote_id: str = ""
    number: str = ""
    status: str = ""
    total: Money | None = None
    unknown: bool = False
    asked: int = 0


class CreditedPieces(Fact):
    """Pieces that a credit note credits without a return, by the line of the invoice; `refund_id` is its reference."""

    refund_id: str = ""
    lines: tuple[tuple[str, Decimal], ...] = ()


class PayOutInput(RefundRef):
    """The money of a credit note that went back, at `at`, out of the account that the payment came to."""

    creditnote_id: str
    zoho_payment_id: str
    total: Money
    at: AwareDatetime
    account_id: str = ""
    exchange_rate: Decimal | None = None
    after: int = 0


class PaidOut(Fact):
    """The refund of a credit note as Zoho has it. `value`: what the books count it for, in major units of the
    organisation's own currency; None where Zoho did not say.
    """

    zoho_refund_id: str = ""
    value: Decimal | None = None
    unknown: bool = False
    asked: int = 0


class CreditDocument(RefundRef):
    """A credit note, or its refund, to be taken back."""

    creditnote_id: str
    zoho_refund_id: str = ""
    after: int = 0


class CreditComment(RefundRef):
    """A sentence for a credit note's history; `about` tells one from another."""

    creditnote_id: str
    said: str
    about: str
    after: int = 0


def credit_lines(sold: Sold, refund: RefundFacts, restock: Restock) -> tuple[CreditLine, ...]:
    """The credit note's lines, which come to the refund exactly; ValueError where the sale has no lines of any worth.

    A refund of the whole payment credits every line with its pieces. One of a part of it does not say what came back:
    it is shared out to the tax rates of the sale, each by what is left of it after the refunds `before`, so that all
    refunds together credit each rate with exactly what was sold at it.
    """
    lines = [line for line in sold.lines if line.weight > 0]
    if refund.whole:
        gross = refund.captured.split([line.weight for line in lines])
        named = zip(lines, gross, strict=True)
        credited = [_whole(line, amount, restock) for line, amount in named if amount]
        return tuple(even for line in credited for even in in_even_pieces(line))
    rates = [list(group) for _, group in groupby(sorted(lines, key=_rate), key=_rate)]
    gross = refund.captured.split([sum(line.weight for line in rate) for rate in rates])
    given = zip(rates, shares(gross, refund.before, refund.money), strict=True)
    return tuple(CreditLine(gross=amount, name=_PART, tax_id=rate[0].tax_id) for rate, amount in given if amount)


def credited_twice(sold: Sold, refund: RefundFacts) -> tuple[NoteByHand, ...]:
    """The credit notes by hand that may have been written for this very refund: over the same amount; or all of them,
    where with one more for the refund the notes would come to more than was paid. Never one in another currency.
    """
    credited = sold.credited or refund.money.zero()
    if credited.currency == refund.money.currency and credited + refund.money > refund.captured:
        return tuple(note for note in sold.by_hand if note.total is None or note.total.currency == credited.currency)
    return tuple(note for note in sold.by_hand if note.total == refund.money)


def but_ours(sold: Sold, ours: Collection[str]) -> Sold:
    """The sale where these credit notes are known to be ours: they are no people's, and nobody else's is named then."""
    by_hand = tuple(note for note in sold.by_hand if note.creditnote_id not in ours)
    known = any(note.creditnote_id in ours for note in sold.named)
    return sold.model_copy(update={"by_hand": by_hand, "named": () if known else sold.named})


def returned_lines(
    sold: Sold, captured: Money, returned: Sequence[Returned], *, shipping: bool
) -> tuple[CreditLine, ...]:
    """The lines that credit what came back: each piece by what it was paid with, its discount and tax included.

    `captured` is what the payment brought, shared out to the lines as `credit_lines` does, so that all pieces of all
    returns, and the shipping once, come to it exactly. `shipping` credits the charge for it too. ValueError for a line
    that the sale does not have, and for more pieces than are left of it.
    """
    lines = [line for line in sold.lines if line.weight > 0]
    worth = list(zip(lines, captured.split([line.weight for line in lines]), strict=True))
    by_id = {line.line_item_id: (line, gross) for line, gross in worth}
    wanted = [_came_back(one, *by_id.get(one.line_item_id, (None, captured))) for one in returned]
    if shipping:
        wanted += [_whole(line, gross, Restock.NEVER) for line, gross in worth if not line.line_item_id]
    return tuple(even for line in wanted if line.gross for even in in_even_pieces(line))


def in_even_pieces(line: CreditLine) -> Iterator[CreditLine]:
    """The line as one or two whose pieces cost whole minor units: a unit price of any more decimals may be rounded by
    an organisation that keeps fewer, and then the note would not come to the refund.
    """
    pieces = int(line.quantity)
    if pieces != line.quantity or line.gross.minor % max(pieces, 1) == 0:
        yield line
        return
    each, dearer = divmod(line.gross.minor, pieces)
    for price, number in ((each, pieces - dearer), (each + 1, dearer)):
        gross = line.gross.model_copy(update={"minor": price * number})
        yield line.model_copy(update={"gross": gross, "quantity": Decimal(number)})


def shares(gross: Sequence[Money], before: Sequence[Money], amount: Money) -> list[Money]:
    """`amount` in proportion to what the amounts `before` left of each of `gross`; never more than is left.

    The last amount that uses up the whole takes exactly what is left of each. ValueError where nothing is left.
    """
    left = list(gross)
    given = left
    for one in (*before, amount):
        given = one.split([rest.minor for rest in left])
        left = [rest - part for rest, part in zip(left, given, strict=True)]
    return given


def _rate(line: SoldLine) -> str:
    return line.tax_id


def _came_back(one: Returned, line: SoldLine | None, gross: Money) -> CreditLine:
    """The pieces cost what all so far cost less those before: rounded so, all together cost what the line did."""
    if line is None or not one.line_item_id:
        raise ValueError(f"the sale has no line {one.line_item_id!r} of any worth")
    if one.quantity < 0 or one.before < 0 or one.before + one.quantity > line.quantity:
        raise ValueError(f"more pieces of line {one.line_item_id} came back than were sold")
    so_far = [
        Money.rounded(gross.decimal() * pieces / line.quantity, gross.currency)
        for pieces in (one.before, one.before + one.quantity)
    ]
    whole = _whole(line, so_far[1] - so_far[0], Restock.ALWAYS if one.restock else Restock.NEVER)
    return whole.model_copy(update={"quantity": one.quantity, "salesreturn_item_id": one.salesreturn_item_id})


def _whole(line: SoldLine, gross: Money, restock: Restock) -> CreditLine:
    returns = restock is Restock.ALWAYS or (restock is Restock.WHEN_UNSHIPPED and not line.shipped)
    return CreditLine(
        gross=gross,
        item_id=line.item_id,
        name=line.name,
        quantity=line.quantity,
        tax_id=line.tax_id,
        line_item_id=line.line_item_id,
        shipped=line.shipped,
        restock=returns and bool(line.item_id),
    )
