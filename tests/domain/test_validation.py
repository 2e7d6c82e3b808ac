"""What may not become an order is named, with a sentence that says what to do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.currencies import UnknownCurrency
from domain.lines import with_quantity
from domain.mapping import map_order
from domain.mapping_policy import MappingPolicy, PartialCapture
from domain.money import Money
from domain.payments import Address, Buyer, LineTax, PaidLine, PaymentFacts, PaymentStatus
from domain.problems import Problem, ProblemCode
from domain.totals import RoundingRules
from domain.validation import check_facts, check_origin, smallest_amount, validate_order
from tests.domain.stripe_like import paid_line, payment, shipping

CENTS = RoundingRules(price_precision=2)


def problems(facts: PaymentFacts, rules: RoundingRules = CENTS, *, shipping_sku: str = "") -> tuple[Problem, ...]:
    """What stands against the order of `facts`."""
    mapping = MappingPolicy(shipping_sku=shipping_sku)
    return validate_order(facts, map_order(facts, mapping, time_zone="UTC", settings=rules), rules)


def codes(facts: PaymentFacts, rules: RoundingRules = CENTS, *, shipping_sku: str = "") -> list[str]:
    """The codes of it, in order."""
    return [problem.code.value for problem in problems(facts, rules, shipping_sku=shipping_sku)]


def with_tax(line: PaidLine, percentage: str, amount: int, *, inclusive: bool = False) -> PaidLine:
    """`line` with a tax whose amount is not what its rate says."""
    tax = LineTax(percentage=Decimal(percentage), inclusive=inclusive, amount=Money.of(amount, line.total.currency))
    paid = line.subtotal - line.discount + (tax.amount.zero() if inclusive else tax.amount)
    return line.model_copy(update={"taxes": (tax,), "tax": tax.amount, "total": paid})


def test_a_sound_payment_has_no_problem() -> None:
    """A payment with discount, tax and shipping that adds up may be written."""
    line = paid_line("1999", 3, discount=500, rates=[("19", False)])
    assert codes(payment(line, cost=shipping(499))) == []


@pytest.mark.parametrize("status", [PaymentStatus.UNPAID, PaymentStatus.UNCAPTURED, PaymentStatus.CANCELED])
def test_no_order_without_money(status: PaymentStatus) -> None:
    """What is not paid is no order."""
    assert codes(payment(paid_line(), status=status)) == ["not_paid"]


def test_nothing_received_is_not_paid() -> None:
    """A payment of zero is no order either."""
    assert codes(payment(paid_line("0"))) == ["not_paid"]


def test_no_lines() -> None:
    """A payment that does not say what was sold is refused once, not for its sums as well."""
    assert codes(payment(money=Money.of(4990, "EUR"))) == ["no_lines"]


def test_a_line_without_an_item() -> None:
    """A line with neither SKU nor stored link is named; a stored link alone is enough."""
    bare = paid_line(sku="", line_id="li_2")
    (problem,) = problems(payment(paid_line(), bare))
    assert problem.code is ProblemCode.LINE_WITHOUT_SKU
    assert "li_2 (product prod_1)" in problem.message
    assert codes(payment(bare.model_copy(update={"item_id": "460000000012345678"}))) == []


def test_taxed_shipping_needs_an_item() -> None:
    """Taxed shipping is refused until the shop names an item for it."""
    facts = payment(paid_line(), cost=shipping(500, rates=[("20", False)]))
    assert codes(facts) == ["taxed_shipping"]
    assert codes(facts, shipping_sku="SHIP") == []


@pytest.mark.parametrize("received", [999, 1001, 500])
def test_lines_that_do_not_add_up(received: int) -> None:
    """One cent more or less than lines and shipping is refused, and both figures are named."""
    (problem,) = problems(payment(paid_line("1000"), money=Money.of(received, "EUR")))
    assert problem.code is ProblemCode.LINES_DO_NOT_ADD_UP
    assert "10.00 EUR" in problem.message
    assert str(Money.of(received, "EUR")) in problem.message


def test_a_line_that_contradicts_itself() -> None:
    """A line whose total is not price less discount plus tax is refused."""
    line = paid_line("1000").model_copy(update={"total": Money.of(900, "EUR")})
    assert codes(payment(line)) == ["lines_do_not_add_up"]


def test_a_credit_line() -> None:
    """A negative line is refused, for Zoho's documents hold none."""
    credit = paid_line("-500", subtotal=-500, line_id="li_2")
    assert codes(payment(paid_line("1000"), credit)) == ["negative_line"]


def test_a_discount_above_the_price() -> None:
    """A discount larger than the line is a negative line."""
    assert "negative_line" in codes(payment(paid_line("1000"), paid_line("100", discount=200)))


def test_tax_without_a_rate() -> None:
    """An amount of tax that no rate explains cannot become one of Zoho's taxes."""
    tax = Money.of(190, "EUR")
    line = paid_line("1000").model_copy(update={"tax": tax, "total": Money.of(1190, "EUR")})
    assert codes(payment(line)) == ["tax_without_rate"]
    cost = shipping(500, rates=[("20", False)]).model_copy(update={"taxes": ()})
    assert codes(payment(paid_line(), cost=cost), shipping_sku="SHIP") == ["tax_without_rate"]


def test_totals_that_differ() -> None:
    """Two cents on one line are no rounding: both totals are named."""
    facts = payment(with_tax(paid_line("1000"), "19", 192))
    (problem,) = problems(facts)
    assert problem.code is ProblemCode.TOTALS_DIFFER
    assert "11.90 EUR" in problem.message
    assert "11.92 EUR" in problem.message


@pytest.mark.parametrize("amount", [189, 190, 191])
def test_one_cent_a_line_is_rounding(amount: int) -> None:
    """A cent up or down on a line is adjusted."""
    assert codes(payment(with_tax(paid_line("1000"), "19", amount))) == []


def test_tax_that_differs_inside_the_price() -> None:
    """A gross line taxed in part comes to the right total with the wrong tax: refused."""
    facts = payment(with_tax(paid_line("1190"), "19", 100, inclusive=True))
    (problem,) = problems(facts)
    assert problem.code is ProblemCode.TAX_DIFFERS
    assert "19.00" not in problem.message
    assert "1.90 EUR" in problem.message
    assert "1.00 EUR" in problem.message


def test_many_small_roundings_of_tax_pass() -> None:
    """Four authorities that each round half a cent up come to more tax than their sum, and that is no fault."""
    line = paid_line("10", rates=[("5", False)] * 4)
    assert line.tax.minor == 4
    assert codes(payment(line)) == []


def test_amounts_stripe_cannot_charge() -> None:
    """Half a króna and a single fils are refused; whole ones pass."""
    krona = RoundingRules(price_precision=0)
    dinar = RoundingRules(price_precision=3)
    half = paid_line(subtotal=150, currency="ISK")
    assert "currency_not_whole" in codes(payment(half), krona)
    assert codes(payment(paid_line("5123", currency="KWD", subtotal=5123)), dinar) == ["currency_not_whole"]
    assert codes(payment(paid_line("5120", currency="KWD")), dinar) == []
    assert codes(payment(paid_line("20000", currency="ISK")), krona) == []


@pytest.mark.parametrize(("code", "least"), [("EUR", 1), ("JPY", 1), ("KWD", 10), ("ISK", 100)])
def test_the_least_that_can_be_charged(code: str, least: int) -> None:
    """A cent, a yen, ten fils, a whole króna."""
    assert smallest_amount(code).minor == least


def test_decimals_of_the_currency_in_zoho() -> None:
    """Yen with two decimals in Zoho, or euros with none, cannot meet the amount: the setting is named."""
    yen = payment(paid_line("333", currency="JPY", rates=[("10", False)]))
    (problem,) = problems(yen, RoundingRules(price_precision=2))
    assert problem.code is ProblemCode.CURRENCY_DECIMALS
    assert "decimals of JPY" in problem.message
    assert codes(yen, RoundingRules(price_precision=0)) == []
    assert codes(payment(paid_line("1050")), RoundingRules(price_precision=0)) != []


def test_two_currencies_in_one_payment() -> None:
    """A line in another currency is the only thing said, and said before the payment is mapped."""
    facts = payment(paid_line(), paid_line(currency="USD"), money=Money.of(2000, "EUR"))
    (problem,) = check_facts(facts)
    assert problem.code is ProblemCode.MIXED_CURRENCIES
    assert "USD" in problem.message


def test_a_foreign_payment() -> None:
    """Another account's or mode's payment is refused; an account that is not said is not held against it."""
    facts = payment(paid_line())
    assert check_origin(facts, account_id="acct_1", livemode=False) == ()
    assert [p.code for p in check_origin(facts, account_id="acct_2", livemode=True)] == [
        ProblemCode.FOREIGN_ACCOUNT,
        ProblemCode.FOREIGN_MODE,
    ]
    silent = facts.model_copy(update={"account_id": ""})
    assert check_origin(silent, account_id="acct_2", livemode=False) == ()


def test_a_currency_nobody_knows() -> None:
    """A payment that could not be read for its currency has a problem, too."""
    problem = Problem.of_currency(UnknownCurrency("XAU"))
    assert problem.code is ProblemCode.UNKNOWN_CURRENCY
    assert "'XAU'" in problem.message


def test_several_problems_are_all_told() -> None:
    """A person fixes everything at once: each reason is listed."""
    bare = with_tax(paid_line("1000", sku=""), "19", 250)
    assert codes(payment(bare, cost=shipping(500, rates=[("19", False)]))) == [
        "line_without_sku",
        "taxed_shipping",
        "totals_differ",
    ]


def test_messages_hold_no_personal_data() -> None:
    """Names, addresses and free text of the payment are in no message."""
    secret = Address(name="Canary", line1="Canary Road", city="Canary", country="DE")
    line = with_tax(paid_line("1000", sku=""), "19", 250).model_copy(update={"description": "Canary"})
    facts = payment(
        line,
        cost=shipping(500, rates=[("19", False)]),
        buyer=Buyer(name="Canary", email="canary@example.org"),
        billing=secret,
        shipping=secret,
        description="Canary",
        status=PaymentStatus.UNPAID,
    )
    said = problems(facts)
    assert len(said) == 4
    assert not [problem for problem in said if "canary" in problem.message.lower()]


def partly_captured(captured: int) -> PaymentFacts:
    """Two lines of 20.00 and 10.00, authorised in full, `captured` in part."""
    facts = payment(paid_line("1000", 2, line_id="li_1"), paid_line("1000", line_id="li_2"))
    return facts.model_copy(update={"money": Money.of(captured, "EUR"), "intended": Money.of(3000, "EUR")})


def test_partial_capture_is_held_by_a_class_of_its_own() -> None:
    """The sentence says what was taken, of what, and how to answer."""
    (problem,) = problems(partly_captured(2000))
    assert problem.code is ProblemCode.CAPTURED_IN_PART
    assert "20.00 EUR of 30.00 EUR" in problem.message
    assert "10.00 EUR less" in problem.message


def test_lines_that_never_came_to_the_authorised_amount_are_no_partial_capture() -> None:
    """What does not add up before the capture does not add up after it."""
    facts = partly_captured(2000).model_copy(update={"intended": Money.of(3100, "EUR")})
    assert codes(facts) == ["lines_do_not_add_up"]


def test_partial_capture_may_become_the_orders_adjustment() -> None:
    """The order comes to what was captured, and the draft says how much of the adjustment that is."""
    facts, adjust = partly_captured(1999), MappingPolicy(partial_capture=PartialCapture.ADJUST)
    draft = map_order(facts, adjust, time_zone="UTC", settings=CENTS)
    assert validate_order(facts, draft, CENTS, PartialCapture.ADJUST) == ()
    assert (draft.adjustment, draft.uncaptured) == (Money.of(-1001, "EUR"), Money.of(1001, "EUR"))


def test_amended_quantity_scales_every_amount_of_the_line() -> None:
    """Two of three captured: the line's amounts are two thirds, and the order is sound again."""
    line = paid_line("1190", 3, discount=300, rates=[("19", True)])
    two = with_quantity(line, 2)
    assert (two.subtotal.minor, two.discount.minor, two.total.minor) == (2380, 200, 2180)
    assert two.taxes[0].amount.minor == two.tax.minor == 348
    facts = payment(two).model_copy(update={"intended": line.total})
    assert codes(facts) == []
