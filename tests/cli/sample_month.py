"""A month as a shop has it: weekly payouts, refunds, a dispute, Stripe's bills, and money that is not paid out yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.signing import SigningRing
from domain.certificates import certify
from domain.certified import Certificate
from domain.closing import add_up
from domain.matching import BookedDocument, explain
from domain.money import total
from domain.months import Month, month_of
from domain.open_items import open_items, payout_of
from domain.payouts import LineKind, Payout, PayoutKind, PayoutLine, PayoutStatus, Reconciled
from domain.postings import AccountNames
from tests.domain.months import a_line, eur

RING = SigningRing.generate()
SPAN = month_of("2026-10", "Europe/Berlin", datetime(2026, 12, 1, tzinfo=UTC))
OPENING = 214_318
_WEEK = timedelta(days=7)
_HOUR = timedelta(hours=1)


@dataclass
class Shop:
    """What Stripe and our store have of it."""

    rows: list[PayoutLine] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)

    def month(self, certificates: list[Certificate] | None = None, **changes: Any) -> Month:
        """The month as of the third of November; with other certificates than the shop's own."""
        proofs = self.certificates if certificates is None else certificates
        ends = total((row.net for row in self.rows), "EUR") + eur(OPENING)
        added = add_up(SPAN, self.rows, {"EUR": ends}, proofs, self.payouts)
        by_id = {one.certificate.payout.id: one for one in proofs}
        shown = [payout_of(one, by_id.get(one.payout_id), ()) for one in self.payouts]
        given: dict[str, Any] = {
            "connection": "lantern",
            "span": SPAN,
            "made_at": datetime(2026, 11, 3, 8, 12, tzinfo=UTC),
            "payouts": tuple(shown),
            "balances": added.balances,
            "discrepancies": added.discrepancies,
            "open": tuple(open_items(shown, proofs)),
            "moves": added.moves,
        }
        return Month.model_validate(given | changes)


def a_shop() -> Shop:
    """Four weeks that were paid out, and some days that were not."""
    shop = Shop()
    for week in range(5):
        begin = SPAN.begin + week * _WEEK + 8 * _HOUR
        lines = [*_sales(week, begin), *_others(week, begin)]
        shop.rows += lines
        if week < 4:
            _pay_out(shop, week, begin + timedelta(days=6, hours=9), lines)
    return shop


def _sales(week: int, begin: datetime) -> list[PayoutLine]:
    made = []
    for sale in range(3 if week == 4 else 9):
        number = 1000 * (week + 1) + sale
        amount = 2490 + 1370 * ((sale * 7 + week * 3) % 11)
        fee = 25 + amount * 15 // 1000
        about: dict[str, Any] = {"source_id": f"ch_{number}", "payment_id": f"pi_{number}"}
        at = begin + 15 * sale * _HOUR
        made.append(a_line(number, "charge", amount, fee, tax=fee * 19 // 119, at=at, **about))
    return made


def _others(week: int, begin: datetime) -> list[PayoutLine]:
    number, at = 1000 * (week + 1) + 50, begin + timedelta(days=4)
    made = {
        1: [a_line(number, "refund", -2490, source_id="re_1", at=at)],
        2: [
            a_line(number, "refund", -3860, source_id="re_2", at=at),
            a_line(number + 1, "dispute", -5230, 2000, source_id="du_1", at=at + _HOUR),
        ],
        3: [
            a_line(number, "fee", -1250, at=at, says="Radar"),
            a_line(number + 1, "tax", -238, at=at, says="VAT"),
            a_line(number + 2, "other_adjustment", 312, at=at),
        ],
    }
    return made.get(week, [])


def _pay_out(shop: Shop, week: int, at: datetime, lines: list[PayoutLine]) -> None:
    payout_id, money = f"po_1Q{week}dRx8LkdIwHu7ix{week}Zt5pR", total((line.net for line in lines), "EUR")
    own = a_line(9000 + week, "payout", -money.minor, source_id=payout_id, at=at)
    payout = Payout(
        payout_id=payout_id, money=money, kind=PayoutKind.AUTOMATIC, status=PayoutStatus.PAID,
        reconciled=Reconciled.COMPLETED, created=at, arrival=at + timedelta(days=2 if week < 3 else 5), own=own,
    )  # fmt: skip
    shop.rows.append(own)
    shop.payouts.append(payout)
    explained = explain(payout, lines, [_booked(line) for line in lines if line.kind in _BOOKED])
    shop.certificates.append(certify(explained, AccountNames(), RING, connection="lantern", at=at))


_BOOKED = (LineKind.CHARGE, LineKind.REFUND)


def _booked(line: PayoutLine) -> BookedDocument:
    """Zoho's payment with its fee, or the refund of a credit note."""
    return BookedDocument(
        kind=line.kind or LineKind.CHARGE, document_id=f"zoho_{line.source_id}", money=abs(line.amount),
        on=line.at.date(), linked=(line.source_id,), fee=line.fee if line.kind is LineKind.CHARGE else None,
    )  # fmt: skip
