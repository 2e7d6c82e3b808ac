"""One paid line as a line of the order: its amount is Stripe's to the minor unit, whatever its unit price is."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from domain.currencies import exponent
from domain.money import Money, total
from domain.orders import OrderLine
from domain.payments import LineTax, PaidLine, PaymentFacts, ShippingCost
from domain.totals import RoundingRules

SHIPPING_LINE = "shipping"


def priced(facts: PaymentFacts) -> Money:
    """What lines and shipping come to."""
    paid = total((line.total for line in facts.lines), facts.money.currency)
    return paid + facts.shipping_cost.total if facts.shipping_cost is not None else paid


def with_quantity(line: PaidLine, quantity: int) -> PaidLine:
    """`line` for `quantity` pieces: each amount in proportion, rounded half up."""

    def share(amount: Money) -> Money:
        part = amount.decimal() * quantity / line.quantity
        return Money.rounded(part, amount.currency)

    taxes = tuple(tax.model_copy(update={"amount": share(tax.amount)}) for tax in line.taxes)
    subtotal, discount = share(line.subtotal), share(line.discount)
    changed = {
        "quantity": quantity,
        "subtotal": subtotal,
        "discount": discount,
        "taxes": taxes,
        "tax": total((tax.amount for tax in taxes), line.tax.currency) if taxes else share(line.tax),
        "total": subtotal - discount + exclusive_tax(taxes, line.total.currency),
    }
    return line.model_copy(update=changed)


def order_line(line: PaidLine, *, inclusive: bool, rules: RoundingRules) -> OrderLine:
    """`line` for an order whose rates are gross (`inclusive`) or net.

    Rate and discount are Stripe's own where they come to Stripe's amount. Else (tiers, more decimals than Zoho
    keeps, an exclusive line in a gross order) the rate is the price before discount divided by the quantity; where
    no such rate exists it is rounded up, and what that is too much joins the discount.
    """
    converted = inclusive and bool(exclusive_tax(line.taxes, line.total.currency))
    amount = line.total if inclusive else line.subtotal - line.discount
    base = amount + (_gross_discount(line) if converted else line.discount)
    rate = _rate(base, line.quantity, None if converted else line.unit_minor, rules)
    excess = Money.rounded(rules.rounded(rate * line.quantity), base.currency) - amount
    return OrderLine(
        line_id=line.line_id,
        sku=line.sku,
        item_id=line.item_id,
        product_id=line.product_id,
        description=line.description,
        quantity=line.quantity,
        rate=rate,
        discount=max(excess, excess.zero()),
        tax_percentage=sum(tax_rates(line), Decimal(0)) or None,
    )


def shipping_line(cost: ShippingCost, sku: str) -> PaidLine:
    """Taxed shipping as one piece of the service item `sku`, for Zoho's `shipping_charge` takes no tax."""
    return PaidLine(
        line_id=SHIPPING_LINE,
        sku=sku,
        description="Shipping",
        quantity=1,
        unit_minor=Decimal(cost.subtotal.minor),
        subtotal=cost.subtotal,
        discount=cost.subtotal + exclusive_tax(cost.taxes, cost.total.currency) - cost.total,
        tax=cost.tax,
        total=cost.total,
        taxes=cost.taxes,
    )


def exclusive_tax(taxes: Iterable[LineTax], currency: str) -> Money:
    """What `taxes` put on top of the price."""
    return total((tax.amount for tax in taxes if not tax.inclusive), currency)


def tax_rates(line: PaidLine) -> tuple[Decimal, ...]:
    """The percentages above zero that tax the line.

    A rate that brought nothing although it would have come to a minor unit (exempt, reverse charge, not collecting)
    does not count; one that only rounded to nothing does.
    """
    net = line.total - total((tax.amount for tax in line.taxes), line.total.currency)
    counted = (tax.percentage for tax in line.taxes if tax.amount or net.minor * tax.percentage < 100)
    return tuple(rate for rate in counted if rate)


def _gross_discount(line: PaidLine) -> Money:
    rate = sum((tax.percentage for tax in line.taxes if not tax.inclusive and tax.amount), Decimal(0))
    return Money.rounded(line.discount.decimal() * (1 + rate / 100), line.discount.currency)


def _rate(base: Money, quantity: int, unit_minor: Decimal | None, rules: RoundingRules) -> Decimal:
    """The price of one whose rounded product is `base`; rounded up to a minor unit where there is none."""
    decimals = exponent(base.currency)
    shares = base.decimal() / quantity
    wanted = [shares.quantize(_step(rules.rate_decimals), rounding=ROUND_HALF_UP)]
    if unit_minor is not None:
        unit = unit_minor.scaleb(-decimals)
        if unit == unit.quantize(_step(rules.rate_decimals)):
            wanted.insert(0, unit)
    for rate in wanted:
        if rules.rounded(rate * quantity) == base.decimal():
            return _tidy(rate, decimals)
    return shares.quantize(_step(min(decimals, rules.rate_decimals)), rounding=ROUND_CEILING)


def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def _tidy(rate: Decimal, decimals: int) -> Decimal:
    """Without the zeros that say nothing: 10.500000 -> 10.50 where a minor unit has two decimals."""
    short = rate.quantize(_step(decimals), rounding=ROUND_HALF_UP)
    return short if short == rate else rate.normalize()
