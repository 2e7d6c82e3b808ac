"""What is still to be done for a month: payouts that nothing proves, findings, and runs that wait for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from domain.certified import Certificate
from domain.matching import FindingKind
from domain.money import Money
from domain.months import MonthPayout, OpenItem
from domain.payouts import Payout

_OF_FEES = frozenset({FindingKind.FEE_MISSING, FindingKind.FEE_DIFFERS})


def payout_of(payout: Payout, certificate: Certificate | None, flaws: Sequence[str]) -> MonthPayout:
    """A payout as the month shows it; `flaws` is what its certificate's check found. One of a state that has passed is
    a flaw as well.
    """
    about = {
        "payout_id": payout.payout_id, "money": payout.money, "kind": payout.kind.value,
        "status": payout.status.value, "created": payout.created, "arrival": payout.arrival,
    }  # fmt: skip
    if certificate is None:
        return MonthPayout(**about, flaws=tuple(flaws))
    head, told = certificate.certificate, list(flaws)
    if (said := Money.of(head.payout.minor, head.payout.currency)) != payout.money:
        told.append(f"it is over {said}, and Stripe says {payout.money}")
    if head.payout.status != payout.status.value:
        told.append(f"it says {head.payout.status}, and Stripe says {payout.status.value}")
    return MonthPayout(
        **about,
        version=head.version,
        hash=certificate.hash,
        lines=len(certificate.lines),
        findings=len(head.findings),
        flaws=tuple(told),
    )


def open_items(payouts: Iterable[MonthPayout], certificates: Iterable[Certificate]) -> Iterator[OpenItem]:
    """What is still to be done for these payouts, with the money that depends on it."""
    for one in payouts:
        if not one.version and not one.flaws:
            yield OpenItem(
                about=one.payout_id, kind="no_certificate", message=f"{one.payout_id} has no certificate yet",
                at_risk=abs(one.money),
            )  # fmt: skip
        for flaw in one.flaws:
            message = f"the certificate of {one.payout_id}: {flaw}"
            yield OpenItem(about=one.payout_id, kind="unsound", message=message, at_risk=abs(one.money))
    for certificate in certificates:
        head = certificate.certificate
        lines = {line.transaction: line for line in certificate.lines}
        for finding in head.findings:
            line = lines.get(finding.transaction)
            minor = 0 if line is None else line.fee if finding.kind in _OF_FEES else line.amount
            at_risk = abs(Money.of(minor, head.payout.currency)) if line else None
            payment = line.payment if line else ""
            about = {"about": head.payout.id, "payment_id": payment, "at_risk": at_risk}
            yield OpenItem(**about, kind=finding.kind, message=finding.message)


def waiting_item(
    about: str, payment_id: str, kind: str, message: str, at_risk: Money | None, known: Sequence[OpenItem]
) -> OpenItem:
    """A run that waits for a person. Money that is at risk in one of the `known` items already counts once."""
    counted = {name for one in known for name in (one.about, one.payment_id) if name}
    again = about in counted or payment_id in counted
    return OpenItem(about=about, payment_id=payment_id, kind=kind, message=message, at_risk=None if again else at_risk)
