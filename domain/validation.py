"""Whether a payment may become an order. Nothing is corrected here, and nothing is let through with a doubt."""

from __future__ import annotations

from collections.abc import Iterator

from domain.currencies import MULTIPLE_OF
from domain.lines import SHIPPING_LINE, exclusive_tax, priced
from domain.mapping import uncaptured
from domain.mapping_policy import PartialCapture
from domain.money import Money
from domain.orders import OrderDraft
from domain.payments import PaidLine, PaymentFacts, PaymentStatus, ShippingCost
from domain.problems import Problem, ProblemCode
from domain.totals import RoundingRules, Totals, zoho_totals

_BY_HAND = "enter this order by hand"

# Where the facts themselves do not hold, what Zoho would make of them says nothing new.
_BROKEN_SUMS = frozenset(
    {
        ProblemCode.MIXED_CURRENCIES,
        ProblemCode.NO_LINES,
        ProblemCode.NEGATIVE_LINE,
        ProblemCode.TAX_WITHOUT_RATE,
        ProblemCode.LINES_DO_NOT_ADD_UP,
        ProblemCode.CAPTURED_IN_PART,
    }
)


def smallest_amount(currency: str) -> Money:
    """The least that Stripe can charge in `currency`: one minor unit; one whole króna; 0.010 dinar."""
    return Money.of(MULTIPLE_OF.get(currency, 1), currency)


def check_origin(facts: PaymentFacts, *, account_id: str, livemode: bool) -> tuple[Problem, ...]:
    """Whether the payment is the connection's own: its account, and its mode (live or test)."""
    problems = []
    if facts.account_id and facts.account_id != account_id:
        fault = f"the payment belongs to Stripe account {facts.account_id}, the connection to {account_id}"
        cure = "send its webhooks to the connection of that account"
        problems.append(Problem.of(ProblemCode.FOREIGN_ACCOUNT, fault, cure))
    if facts.livemode != livemode:
        theirs, ours = ("live", "test") if facts.livemode else ("test", "live")
        fault = f"a {theirs} payment came to a connection in {ours} mode"
        cure = f"give the webhook endpoint of {theirs} mode a connection of its own"
        problems.append(Problem.of(ProblemCode.FOREIGN_MODE, fault, cure))
    return tuple(problems)


def check_facts(facts: PaymentFacts, partial: PartialCapture = PartialCapture.HOLD) -> tuple[Problem, ...]:
    """What is wrong with the payment itself. With MIXED_CURRENCIES, always alone, it cannot be mapped.

    `partial` is what becomes of a payment that was captured in part.
    """
    mixed = {money.currency for money in _amounts(facts)} - {facts.money.currency}
    if mixed:
        fault = f"the payment is in {facts.money.currency} but a part of it in {', '.join(sorted(mixed))}"
        return (Problem.of(ProblemCode.MIXED_CURRENCIES, fault, _BY_HAND),)
    return (*_check_money(facts), *_check_lines(facts, partial))


def validate_order(
    facts: PaymentFacts,
    draft: OrderDraft,
    settings: RoundingRules,
    partial: PartialCapture = PartialCapture.HOLD,
) -> tuple[Problem, ...]:
    """Every reason not to write `draft`, check_facts included; () where Zoho will come to Stripe's amount.

    `settings` are those it was mapped with.
    """
    problems = (*check_facts(facts, partial), *_unnamed_lines(draft))
    if any(problem.code in _BROKEN_SUMS for problem in problems):
        return problems
    zoho = zoho_totals(draft, settings)
    return (*problems, *(_check_total(draft, zoho, settings) or _check_tax(facts, draft, zoho)))


def _amounts(facts: PaymentFacts) -> Iterator[Money]:
    parts: list[PaidLine | ShippingCost] = [*facts.lines]
    if facts.shipping_cost is not None:
        parts.append(facts.shipping_cost)
    for part in parts:
        yield from (part.subtotal, part.tax, part.total, *(tax.amount for tax in part.taxes))
    yield from (line.discount for line in facts.lines)


def _check_money(facts: PaymentFacts) -> Iterator[Problem]:
    if facts.status is not PaymentStatus.PAID or facts.money.minor <= 0:
        fault = f"Stripe says {facts.status.value}, {facts.money} received"
        yield Problem.of(ProblemCode.NOT_PAID, fault, "an order needs money: wait for it")
    least = smallest_amount(facts.money.currency)
    if facts.money.minor % least.minor:
        fault = f"{facts.money} is not a multiple of {least}, the least Stripe charges"
        yield Problem.of(ProblemCode.CURRENCY_NOT_WHOLE, fault, f"compare the dashboard and {_BY_HAND}")


def _check_lines(facts: PaymentFacts, partial: PartialCapture) -> Iterator[Problem]:
    if not facts.lines:
        cure = "sell by Checkout, invoice or amount details, or put the lines into the payment's metadata"
        yield Problem.of(ProblemCode.NO_LINES, "the payment does not say what was sold", cure)
        return
    for line in facts.lines:
        yield from _check_line(line)
    if facts.shipping_cost is not None:
        yield from _check_shipping(facts.shipping_cost)
    paid = priced(facts)
    if (missing := uncaptured(facts)) is not None:
        if partial is PartialCapture.HOLD:
            fault = f"{facts.money} of {facts.intended} was captured, {missing} less than the lines come to"
            cure = "amend the quantities to what was captured (0 leaves a line out), or abort"
            yield Problem.of(ProblemCode.CAPTURED_IN_PART, fault, cure)
    elif paid != facts.money:
        fault = f"lines and shipping come to {paid} but {facts.money} was received"
        cure = f"look for a partial capture, a tip or a credit balance and {_BY_HAND}"
        yield Problem.of(ProblemCode.LINES_DO_NOT_ADD_UP, fault, cure)


def _check_line(line: PaidLine) -> Iterator[Problem]:
    what = f"line {line.line_id}"
    net = line.subtotal - line.discount
    if min(amount.minor for amount in (line.discount, line.total, line.tax, net)) < 0:
        fault = f"{what} is {line.subtotal} less {line.discount} = {line.total}; none may be negative"
        yield Problem.of(ProblemCode.NEGATIVE_LINE, fault, f"look for a credit or proration and {_BY_HAND}")
    if line.tax and not line.taxes:
        yield _tax_without_rate(what, line.tax)
        return
    parts = net + exclusive_tax(line.taxes, line.total.currency)
    if parts != line.total:
        fault = f"{what} says {line.total} but price, discount and tax come to {parts}"
        yield Problem.of(ProblemCode.LINES_DO_NOT_ADD_UP, fault, f"compare the dashboard and {_BY_HAND}")


def _check_shipping(cost: ShippingCost) -> Iterator[Problem]:
    if min(cost.total.minor, cost.tax.minor) < 0:
        fault = f"shipping costs {cost.total} with {cost.tax} of tax, and neither may be negative"
        yield Problem.of(ProblemCode.NEGATIVE_LINE, fault, _BY_HAND)
    if cost.tax and not cost.taxes:
        yield _tax_without_rate("shipping", cost.tax)


def _tax_without_rate(what: str, tax: Money) -> Problem:
    fault = f"{what} holds {tax} of tax but no rate, so none of Zoho's taxes can be chosen"
    cure = f"charge tax by a Stripe tax rate or Stripe Tax, or {_BY_HAND}"
    return Problem.of(ProblemCode.TAX_WITHOUT_RATE, fault, cure)


def _unnamed_lines(draft: OrderDraft) -> Iterator[Problem]:
    for line in draft.lines:
        if line.sku or line.item_id:
            continue
        if line.line_id == SHIPPING_LINE:
            fault = "shipping is taxed, which Zoho's shipping charge cannot be"
            cure = "make a service item for shipping in Zoho and set its SKU as mapping.shipping_sku"
            yield Problem.of(ProblemCode.TAXED_SHIPPING, fault, cure)
        else:
            product = f" (product {line.product_id})" if line.product_id else ""
            fault = f"line {line.line_id}{product} names no item of Zoho's"
            cure = "set metadata sku, or zoho_item_id, on its price or product in Stripe"
            yield Problem.of(ProblemCode.LINE_WITHOUT_SKU, fault, cure)


def _check_total(draft: OrderDraft, zoho: Totals, settings: RoundingRules) -> tuple[Problem, ...]:
    currency = draft.total.currency
    least = smallest_amount(currency)
    adjustment = draft.adjustment.decimal()
    rounding = adjustment + (draft.uncaptured.decimal() if draft.uncaptured else 0)
    if abs(rounding) > least.decimal() * len(draft.lines):
        fault = f"Zoho would come to {zoho.total:f} {currency} where Stripe took {draft.total}"
        cure = f"more than {least} a line is no rounding: compare the payment's tax rates with Zoho's"
        return (Problem.of(ProblemCode.TOTALS_DIFFER, fault, cure),)
    if zoho.total + settings.rounded(adjustment) != draft.total.decimal():
        fault = f"with {settings.price_precision} decimals of {currency} Zoho cannot come to {draft.total}"
        cure = f"correct the decimals of {currency} in Zoho (Settings, Currencies)"
        return (Problem.of(ProblemCode.CURRENCY_DECIMALS, fault, cure),)
    return ()


def _check_tax(facts: PaymentFacts, draft: OrderDraft, zoho: Totals) -> tuple[Problem, ...]:
    """Each amount of tax that Stripe rounded, and each line, may be off by the least amount."""
    currency = draft.total.currency
    rounded = sum(len(line.taxes) for line in facts.lines) + len(draft.lines)
    if abs(zoho.tax - draft.tax.decimal()) <= smallest_amount(currency).decimal() * rounded:
        return ()
    fault = f"Zoho would book {zoho.tax:f} {currency} of tax where Stripe took {draft.tax}"
    cure = f"look for a line that is taxed in part only, or a wrong rate, and {_BY_HAND}"
    return (Problem.of(ProblemCode.TAX_DIFFERS, fault, cure),)
