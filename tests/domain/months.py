"""Generated months of a shop: payments, refunds, disputes, fees and movements in any mix, and the books beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from domain.matching import BookedDocument
from domain.money import Money, total
from domain.payments import FeePart
from domain.payouts import LineKind, Payout, PayoutKind, PayoutLine, PayoutStatus, Reconciled

BEGIN = datetime(2026, 10, 1, 9, tzinfo=UTC)
RATES = {"EUR": None, "USD": Decimal("0.91"), "JPY": Decimal("0.61"), "KWD": Decimal("0.3")}
HOME = "EUR"


def eur(minor: int) -> Money:
    """Cents."""
    return Money.of(minor, HOME)


def a_line(
    number: int, category: str, amount: int, fee: int = 0, *, tax: int = 0, charged: Money | None = None, **more: object
) -> PayoutLine:
    """A line over `amount` cents with `fee`, of which `tax`."""
    parts = [FeePart(kind="stripe_fee", amount=eur(fee - tax)), FeePart(kind="tax", amount=eur(tax))]
    given: dict[str, object] = {
        "transaction_id": f"txn_{number}",
        "category": category,
        "type": category,
        "amount": eur(amount),
        "fee": eur(fee),
        "net": eur(amount - fee),
        "parts": tuple(part for part in parts if part.amount),
        "charged": charged,
        "at": BEGIN + timedelta(hours=number),
        **more,
    }
    return PayoutLine.model_validate(given)


def a_payout(lines: list[PayoutLine], kind: PayoutKind = PayoutKind.AUTOMATIC, **more: object) -> Payout:
    """The payout that these lines make."""
    money = total((line.net for line in lines), HOME)
    own = a_line(9999, "payout", -money.minor, source_id="po_1")
    given: dict[str, object] = {
        "payout_id": "po_1",
        "money": money,
        "kind": kind,
        "status": PayoutStatus.PAID,
        "reconciled": Reconciled.COMPLETED,
        "created": BEGIN + timedelta(days=31),
        "arrival": BEGIN + timedelta(days=33),
        "own": own,
        **more,
    }
    return Payout.model_validate(given)


@dataclass
class Month:
    """A payout with its lines, and the documents that the books hold for it."""

    lines: list[PayoutLine] = field(default_factory=list)
    documents: list[BookedDocument] = field(default_factory=list)
    failed: bool = False

    def payout(self, payout_id: str = "po_1") -> Payout:
        """The payout of all lines."""
        made = a_payout(self.lines, payout_id=payout_id)
        if not self.failed:
            return made
        back = a_line(9998, "payout_reversal", made.money.minor, source_id=payout_id)
        return made.model_copy(update={"status": PayoutStatus.FAILED, "returned": back, "failure": "account_closed"})


MOVEMENTS = ("fee", "tax", "other_adjustment", "risk_reserved_funds", "topup", "payout_reversal", "payout")


@st.composite
def months(draw: st.DrawFn, movements: tuple[str, ...] = MOVEMENTS) -> Month:
    """Any mix: partial refunds that fail or stand, disputes lost or won, currencies, missing or differing documents."""
    month = Month(failed=draw(st.booleans()))
    for number in range(draw(st.integers(0, 6))):
        _payment(draw, month, number)
    for _ in range(draw(st.integers(0, 4))):
        category, amount = draw(st.sampled_from(movements)), draw(st.integers(-50_000, 50_000).filter(bool))
        month.lines.append(a_line(len(month.lines), category, amount, source_id=f"po_other{len(month.lines)}"))
    order = draw(st.permutations(range(len(month.lines))))
    month.lines = [month.lines[place] for place in order]
    return month


def _payment(draw: st.DrawFn, month: Month, number: int) -> None:
    currency = draw(st.sampled_from(sorted(RATES)))
    charged = Money.of(draw(st.integers(50, 5_000_000)), currency)
    rate = RATES[currency]
    settled = charged.minor if rate is None else max(1, int(charged.minor * rate))
    fee = draw(st.integers(0, 2_000))
    tax = draw(st.integers(0, fee))
    payment, foreign = f"pi_{number}", currency != HOME
    about = {"payment_id": payment, "rate": rate}
    _add(month, "charge", settled, fee, tax, charged, source_id=f"ch_{number}", **about)
    if draw(st.booleans()):
        month.documents.append(
            BookedDocument(
                kind=LineKind.CHARGE,
                document_id=f"zp_{number}",
                money=charged,
                on=month.lines[-1].at.date(),
                reference=payment,
                fee=draw(st.sampled_from([None, eur(fee), eur(fee + 1)])) if not foreign else None,
                value=draw(st.sampled_from([None, eur(settled), eur(settled + 7)])) if foreign else None,
            )
        )
    before = charged.zero()
    for part in range(draw(st.integers(0, 3))):
        left = (charged - before).minor
        if left < 1:
            break
        refund = Money.of(draw(st.integers(1, left)), currency)
        share = settled_share(charged, eur(settled), before, refund)
        day = share.minor if not foreign else max(1, share.minor + draw(st.integers(-3, 3)))
        source = f"re_{number}_{part}"
        _add(month, "refund", -day, 0, 0, -refund, source_id=source, **about)
        if draw(st.booleans()):
            month.documents.append(
                BookedDocument(
                    kind=LineKind.REFUND, document_id=f"zr_{number}_{part}", money=refund,
                    on=month.lines[-1].at.date(), linked=(source,), value=share if foreign else None,
                )
            )  # fmt: skip
        if draw(st.booleans()):
            _add(month, "refund_failure", day, 0, 0, refund, source_id=source, **about)
        before += refund
    if draw(st.booleans()):
        _add(month, "dispute", -settled, 1500, 0, -charged, source_id=f"du_{number}", **about)
        if draw(st.booleans()):
            _add(month, "dispute_reversal", settled, -1500, 0, charged, source_id=f"du_{number}", **about)


def _add(month: Month, category: str, amount: int, fee: int, tax: int, charged: Money, **about: object) -> None:
    line = a_line(len(month.lines), category, amount, fee, tax=tax, charged=charged, **about)
    month.lines.append(line)


def settled_share(charged: Money, settled: Money, before: Money, part: Money) -> Money:
    """What of `settled` belongs to `part` of `charged`, after `before` of it: what books may count a partial
    refund for. All in minor units above zero; shares of parts that make up the whole sum to `settled` exactly.
    """
    return _up_to(charged, settled, before + part) - _up_to(charged, settled, before)


def _up_to(charged: Money, settled: Money, part: Money) -> Money:
    return settled.split([part.minor, (charged - part).minor])[0]
