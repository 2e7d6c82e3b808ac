"""What of a payout's certificate has to stand in Zoho Books, and what it is called there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from domain.books import JournalKept, PostingPlan, Side, Transfer, merged
from domain.certified import Certificate, Entry
from domain.money import Money
from domain.postings import Account

_BACK = "back"


def plan_of(certificate: Certificate) -> PostingPlan:
    """What the certificate says that no document carries yet: money to and from the bank as transfers, the rest as
    the sides of one journal. The payout's own transfer is called by its id, its return by `<id>/back`, both alike in
    each version; that of a top-up by its balance transaction.
    """
    head = certificate.certificate
    payout, names, currency = head.payout, head.accounts, head.payout.currency
    open_ = [one for one in _entries(certificate) if not one[0].document and one[0].minor]
    bank = Account.BANK.value
    return PostingPlan(
        payout_id=payout.id,
        version=head.version,
        currency=currency,
        hash=certificate.hash,
        arrived=_day(payout.arrival),
        clearing=names[Account.CLEARING.value],
        day=_day(payout.arrival if head.version == 1 else head.issued_at),
        transfers=tuple(_transfer(*one, names, currency) for one in open_ if one[0].account == bank),
        sides=merged(_sides((entry for entry, _, _ in open_ if entry.account != bank), names, currency)),
    )


def by_id(plan: PostingPlan, ids: Mapping[str, str]) -> PostingPlan:
    """The plan with Books' ids of accounts in place of their names. KeyError for a name without one."""
    transfers = [
        one.model_copy(update={"source": ids[one.source], "target": ids[one.target]}) for one in plan.transfers
    ]
    sides = merged(Side(account=ids[side.account], money=side.money) for side in plan.sides)
    between = tuple(one for one in transfers if one.source != one.target)
    return plan.model_copy(update={"transfers": between, "sides": sides})


def reference_of(payout_id: str, version: int) -> str:
    """What the journal of a version is called in Books."""
    return f"{stem_of(payout_id)}{version}"


def free_reference(plan: PostingPlan, standing: Iterable[JournalKept]) -> str:
    """What a further journal is called: by the version, or by the next number where one that stands is called so.

    Versions begin anew where our store was lost, and what stands in Books does not.
    """
    taken, number = {one.reference for one in standing}, plan.version
    while reference_of(plan.payout_id, number) in taken:
        number += 1
    return reference_of(plan.payout_id, number)


def stem_of(payout_id: str) -> str:
    """What the references of all journals of a payout begin with."""
    return f"{payout_id}/"


def _entries(certificate: Certificate) -> Iterator[tuple[Entry, str, date]]:
    """Every entry, with what a transfer of it is called and its day."""
    head = certificate.certificate
    payout, left = head.payout, False
    for entry in head.settlement:
        back = left and entry.account == Account.BANK.value
        left = left or entry.account == Account.BANK.value
        reference = f"{payout.id}/{_BACK}" if back else payout.id
        yield entry, reference, _day(head.issued_at if back else payout.arrival)
    for line in certificate.lines:
        for entry in line.postings:
            yield entry, line.transaction, _day(line.at)


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])


def _transfer(entry: Entry, reference: str, day: date, names: Mapping[str, str], currency: str) -> Transfer:
    clearing, bank = names[Account.CLEARING.value], names[Account.BANK.value]
    source, target = (clearing, bank) if entry.minor < 0 else (bank, clearing)
    return Transfer(
        reference=reference, source=source, target=target, money=Money.of(abs(entry.minor), currency), day=day
    )


def _sides(entries: Iterable[Entry], names: Mapping[str, str], currency: str) -> Iterator[Side]:
    for entry in entries:
        money = Money.of(entry.minor, currency)
        yield Side(account=names[Account.CLEARING.value], money=money)
        yield Side(account=names[entry.account], money=-money)
