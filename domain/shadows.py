"""A shadow run: what would be written for each payment, and how it differs from what Zoho has. No people's data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.hand_orders import OrderRow
from domain.money import Money, total
from domain.orders import OrderDraft, OrderLine
from domain.payments import Fact
from domain.totals import RoundingRules, zoho_totals


class StandingLine(Fact):
    """A line of an order as Zoho has it; `rate` in major units."""

    item_id: str = ""
    sku: str = ""
    quantity: Decimal
    rate: Decimal


class StandingSale(Fact):
    """An order as Zoho has it, amounts in major units. `invoiced` and `open` are sums over its invoices."""

    row: OrderRow
    inclusive: bool
    shipping: Decimal
    adjustment: Decimal
    tax: Decimal
    lines: tuple[StandingLine, ...] = ()
    invoiced: Decimal
    open: Decimal


class Verdict(StrEnum):
    """What would become of a payment."""

    CREATE = "create"  # order, invoice and payment would be written
    ADOPT = "adopt"  # an order that names the payment would be taken
    ASK = "ask"  # a person would be asked whether an order is the payment's
    CARRIED = "carried"  # it is carried already: nothing would be written
    WAIT = "wait"  # it would wait for a person


class Difference(Fact):
    """One field in which what we would write differs from what Zoho has."""

    field: str
    ours: str
    zoho: str


class ShadowRow(Fact):
    """One payment. `number` is the order's, ours or the one that Zoho has; `contact` is `known`, `new` or "".

    `went_back`: money of it was refunded or is disputed, which a backfill does not book.
    """

    payment_id: str
    charge_id: str
    at: AwareDatetime
    day: date | None = None
    money: Money | None = None
    verdict: Verdict
    number: str = ""
    contact: str = ""
    lines: int = 0
    why: str = ""
    message: str = ""
    differences: tuple[Difference, ...] = ()
    went_back: bool = False


class ShadowReport(Fact):
    """Every payment of a range, the oldest first. `ended` says why it is not complete, "" where it is.

    `orders` counts the orders that Zoho has about that time, `calls` the questions by service. `done_at` is when a
    backfill that began now would be done, None where nobody knows.
    """

    connection: str
    since: AwareDatetime
    until: AwareDatetime
    rows: tuple[ShadowRow, ...] = ()
    orders: int = 0
    ended: str = ""
    calls: dict[str, int] = Field(default_factory=dict)
    made_at: AwareDatetime
    done_at: AwareDatetime | None = None

    def counts(self) -> dict[str, int]:
        """Payments by verdict, in the order of the verdicts."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict.value: counted[verdict] for verdict in Verdict}

    def money(self, verdict: Verdict | None = None) -> str:
        """The money of these payments, a sum for each currency."""
        return sums(row.money for row in self.rows if verdict in (None, row.verdict))

    def to_carry(self) -> int:
        """Payments whose runs a backfill would start."""
        return sum(row.verdict is not Verdict.CARRIED for row in self.rows)

    def differing(self) -> int:
        """Payments whose order in Zoho says something else."""
        return sum(bool(row.differences) for row in self.rows)


def sums(amounts: Iterable[Money | None]) -> str:
    """`120.00 EUR, 4000 JPY`; "" for none."""
    known = [amount for amount in amounts if amount is not None]
    return ", ".join(
        str(total((one for one in known if one.currency == code), code))
        for code in sorted({one.currency for one in known})
    )


def compare(
    draft: OrderDraft, item_ids: Sequence[str], sale: StandingSale, rules: RoundingRules
) -> tuple[Difference, ...]:
    """Field by field, to the cent, what our order would say and Zoho's says; () where nothing differs.

    The tax is what Zoho would make of our order, by the organisation's `rules`.
    """
    found = [
        _differs("date", draft.order_date, sale.row.day),
        _differs("total", draft.total, sale.row.total or "finer than a minor unit"),
        _differs("tax", _amount(zoho_totals(draft, rules).tax), _amount(sale.tax)),
        _differs("shipping", _amount(draft.shipping_charge.decimal()), _amount(sale.shipping)),
        _differs("adjustment", _amount(draft.adjustment.decimal()), _amount(sale.adjustment)),
        *_lines(draft, item_ids, sale),
        _differs("invoiced", _amount(draft.total.decimal()), _amount(sale.invoiced)),
        _differs("to be paid", _amount(Decimal(0)), _amount(sale.open)),
    ]
    return tuple(one for one in found if one is not None)


def _lines(draft: OrderDraft, item_ids: Sequence[str], sale: StandingSale) -> list[Difference | None]:
    """Lines by item: pieces, and the rate where both are with or both without tax."""
    left = list(sale.lines)
    found: list[Difference | None] = []
    for line, item_id in zip(draft.lines, item_ids, strict=True):
        same = next((one for one in left if one.item_id == item_id), None)
        if same is None:
            found.append(Difference(field=f"line {_named(line)}", ours=_said(line.quantity, line.rate), zoho="missing"))
            continue
        left.remove(same)
        rate = same.rate if draft.inclusive == sale.inclusive else line.rate
        ours, zoho = _said(line.quantity, line.rate), _said(same.quantity, rate)
        found.append(_differs(f"line {_named(line)}", ours, zoho))
    beyond = (
        Difference(field=f"line {one.sku or one.item_id}", ours="missing", zoho=_said(one.quantity, one.rate))
        for one in left
    )
    return [*found, *beyond]


def _named(line: OrderLine) -> str:
    return line.sku or line.item_id or line.line_id


def _said(quantity: Decimal | int, rate: Decimal) -> str:
    return f"{_amount(Decimal(quantity))} x {_amount(rate)}"


def _amount(value: Decimal) -> str:
    """A number without zeros behind it, so that 12.50 and 12.5 are one."""
    return f"{value.normalize():f}" if value else "0"


def _differs(field: str, ours: object, zoho: object) -> Difference | None:
    return None if str(ours) == str(zoho) else Difference(field=field, ours=str(ours), zoho=str(zoho or "none"))
