"""What Zoho will make of an order, computed before it is written, so that a wrong total is never born.

Zoho taxes the rounded line amount, half up: 54.54545 plus 10 % is 54.55 + 5.46 = 60.01, never 60.00 (Zoho
community, "tax calculation based on actual price, not the rounded price"; recorded documents carry `rounding_mode:
round_half_up` and `tax_rounding: entity_level`). Line amounts are made equal to Stripe's (domain/lines.py), so only
tax can part from Stripe's, and only in these places, which the adjustment closes:

* Stripe rounds the tax of each line; Zoho rounds it once a line, or once over all lines of that rate.
* Stripe rounds to what it can charge (whole UGX and ISK, 0.010 KWD); Zoho to the currency's decimals.
* An invoice of Stripe's may round its tax once over the whole invoice, and show the difference on one line.

In a tax inclusive order the total is the sum of the gross lines whatever the tax: there the adjustment is zero. So
lines with several taxes are written gross (domain/mapping.py): Zoho may round a tax group part by part or as one,
which the API does not tell, and Stripe rounds part by part.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from pydantic import Field

from domain.mapping_policy import MappingPolicy, TaxRounding
from domain.orders import OrderDraft, OrderLine
from domain.payments import Fact

_HUNDRED = Decimal(100)


class RoundingRules(Fact):
    """How one organisation rounds in one currency.

    `price_precision`: the currency's decimals in Zoho (`GET /settings/currencies`). `rate_decimals`: how many
    decimals of a unit price Zoho keeps (54.54545 was kept with five).
    """

    price_precision: int = Field(ge=0, le=6)
    tax_rounding: TaxRounding = TaxRounding.ENTITY_LEVEL
    rate_decimals: int = Field(default=6, ge=0, le=12)

    @classmethod
    def of(cls, mapping: MappingPolicy, *, price_precision: int) -> Self:
        """The shop's choices for a currency that Zoho keeps with `price_precision` decimals."""
        return cls(
            price_precision=price_precision,
            tax_rounding=mapping.tax_rounding,
            rate_decimals=mapping.rate_decimals,
        )

    def rounded(self, amount: Decimal) -> Decimal:
        """`amount` major units at the currency's precision, half up (away from zero)."""
        return amount.quantize(Decimal(1).scaleb(-self.price_precision), rounding=ROUND_HALF_UP)


class Totals(Fact):
    """Zoho's own figures in major units, before the adjustment; they may be finer than Stripe's minor units.

    `sub_total` is the sum of the line amounts as the document shows them: gross in a tax inclusive order.
    """

    sub_total: Decimal
    tax: Decimal
    total: Decimal


def line_amount(line: OrderLine, rules: RoundingRules) -> Decimal:
    """Rate times quantity, rounded, less the discount: what the line's tax is computed on."""
    return rules.rounded(line.rate * line.quantity) - rules.rounded(line.discount.decimal())


def zoho_totals(draft: OrderDraft, rules: RoundingRules) -> Totals:
    """The order's figures as Zoho computes them from `draft`, its adjustment left out.

    Tax is rounded once a line (`item_level`), or once a tax rate over the sum of its line amounts (`entity_level`).
    """
    amounts = [line_amount(line, rules) for line in draft.lines]
    taxed: defaultdict[tuple[Decimal, int], Decimal] = defaultdict(Decimal)
    for position, (line, amount) in enumerate(zip(draft.lines, amounts, strict=True)):
        if line.tax_percentage is not None:
            group = position if rules.tax_rounding is TaxRounding.ITEM_LEVEL else 0
            taxed[line.tax_percentage, group] += amount
    tax = sum(
        (rules.rounded(_tax(amount, rate, draft.inclusive)) for (rate, _), amount in taxed.items()),
        Decimal(0),
    )
    sub_total = sum(amounts, Decimal(0))
    charged = sub_total + rules.rounded(draft.shipping_charge.decimal())
    return Totals(sub_total=sub_total, tax=tax, total=charged if draft.inclusive else charged + tax)


def _tax(amount: Decimal, percentage: Decimal, inclusive: bool) -> Decimal:
    return amount * percentage / (_HUNDRED + percentage if inclusive else _HUNDRED)
