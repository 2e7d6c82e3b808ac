"""How Zoho adds up a document: the line is rounded first, tax is taken of the rounded line, half up throughout."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.zoho import errors
from sandbox.zoho.switches import Switches
from sandbox.zoho.wire import Row

ZERO, HUNDRED = Decimal(0), Decimal(100)


@dataclass(frozen=True)
class Terms:
    """What a document says about its sums. `discount` is the document's own, like `10%` or `10.00`."""

    precision: int
    inclusive: bool
    discount: str
    item_level: bool
    before_tax: bool
    shipping: Decimal
    adjustment: Decimal


@dataclass
class Line:
    """One line on its way: `amount` is rate times quantity less the line's discount; `base` is what is taxed."""

    gross: Decimal
    discount: Decimal
    base: Decimal
    taxes: list[Row]

    @property
    def amount(self) -> Decimal:
        """What the line costs."""
        return self.gross - self.discount

    @property
    def percentage(self) -> Decimal:
        """All its taxes together, in per cent."""
        return sum((tax["tax_percentage"] for tax in self.taxes), ZERO)


def rounded(value: Decimal, precision: int) -> Decimal:
    """Half up, away from zero."""
    return value.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)


def discount_of(given: str, amount: Decimal, precision: int) -> Decimal:
    """`10%` of the amount, or the amount that `given` names; never more than `amount`."""
    text = given.strip()
    try:
        share = Decimal(text.removesuffix("%") or 0)
    except ArithmeticError as error:
        raise errors.invalid_value("discount") from error
    discount = rounded(amount * share / HUNDRED if text.endswith("%") else share, precision)
    if discount < 0 or discount > amount:
        raise errors.invalid_value("discount")
    return discount


class Sums:
    """The sums of a document's lines under its terms and the organisation's rounding."""

    def __init__(self, lines: list[Line], terms: Terms, switches: Switches) -> None:
        self._lines, self._terms, self._switches = lines, terms, switches
        amount = sum((line.amount for line in lines), ZERO)
        self.document_discount = ZERO
        if not terms.item_level:
            self.document_discount = discount_of(terms.discount, amount, terms.precision)
            if terms.before_tax:
                self._spread(self.document_discount, amount)
        self.taxes = self._taxes()
        self.tax_total = sum((tax["tax_amount"] for tax in self.taxes), ZERO)
        self.sub_total = self._sub_total(amount)
        exact = self.sub_total + self.tax_total - self.document_discount + terms.shipping + terms.adjustment
        self.total = rounded(exact, 0 if switches.whole_unit_rounding else terms.precision)
        self.roundoff = self.total - exact

    def net(self, line: Line) -> Decimal:
        """The line's `item_total`: without its tax where prices include it."""
        if not self._terms.inclusive:
            return line.amount
        return line.amount - self._included(line.amount, line.percentage, line.percentage)

    def _round(self, value: Decimal) -> Decimal:
        return rounded(value, self._terms.precision)

    def _included(self, gross: Decimal, percentage: Decimal, all_taxes: Decimal) -> Decimal:
        return self._round(gross * percentage / (HUNDRED + all_taxes))

    def _spread(self, discount: Decimal, amount: Decimal) -> None:
        left = discount
        for line in self._lines[:-1]:
            share = self._round(discount * line.base / amount) if amount else ZERO
            line.base, left = line.base - share, left - share
        if self._lines:
            self._lines[-1].base -= left

    def _sub_total(self, amount: Decimal) -> Decimal:
        if not self._terms.inclusive:
            return amount
        if self._recomputes:
            return sum((self.net(line) for line in self._lines), ZERO)
        return amount - self.tax_total

    @property
    def _recomputes(self) -> bool:
        return self._terms.inclusive and self._switches.inclusive_total == "recomputed"

    def _taxes(self) -> list[Row]:
        groups: dict[tuple[str, Decimal], tuple[Row, list[Decimal]]] = {}
        for line in self._lines:
            for tax in line.taxes:
                key = (tax["tax_id"], line.percentage)
                groups.setdefault(key, (tax, []))[1].append(line.base)
        amounts: dict[str, Row] = {}
        for (tax_id, all_taxes), (tax, bases) in groups.items():
            parts = bases if self._switches.tax_rounding == "line_level" else [sum(bases, ZERO)]
            row = amounts.setdefault(
                tax_id,
                {
                    "tax_id": tax_id,
                    "tax_name": f"{tax['tax_name']} ({tax['tax_percentage'].normalize():f}%)",
                    "tax_amount": ZERO,
                },
            )
            row["tax_amount"] += sum((self._tax(part, tax["tax_percentage"], all_taxes) for part in parts), ZERO)
        return list(amounts.values())

    def _tax(self, base: Decimal, percentage: Decimal, all_taxes: Decimal) -> Decimal:
        if not self._terms.inclusive:
            return self._round(base * percentage / HUNDRED)
        if self._recomputes:
            net = base - self._included(base, all_taxes, all_taxes)
            return self._round(net * percentage / HUNDRED)
        return self._included(base, percentage, all_taxes)
