"""A payout's certificate: one document that lists every line, its counterpart and its posting, hashed and signed.

What is signed is its head, which holds of each line the amounts and a hash: so one changed cent is found and named.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from domain.canonical import digest
from domain.certified import (
    ALGORITHM,
    FORMAT,
    Amount,
    Certificate,
    CertifiedFinding,
    CertifiedLine,
    CertifiedPayout,
    Counterpart,
    Entry,
    FeeShare,
    Head,
    KindTotal,
    Seal,
    Signature,
    Totals,
)
from domain.matching import Explained, Finding, MatchedLine
from domain.money import Money
from domain.payouts import Payout
from domain.postings import AccountNames, Posting, postings_of, settlement


class Uncertifiable(ValueError):
    """What the payout is made of is not known, so nothing can be certified. `findings` say why."""

    def __init__(self, payout_id: str, findings: Sequence[Finding]) -> None:
        super().__init__(f"{payout_id} cannot be certified: {'; '.join(one.message for one in findings)}")
        self.findings = tuple(findings)


class Signer(Protocol):
    """Whoever signs: `public_key` are the 32 bytes that `key_id` stands for."""

    @property
    def key_id(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of `message`, 64 bytes."""


def signed_bytes(hash_: str) -> bytes:
    """What is signed: the hash, bound to this kind of document."""
    return f"{FORMAT}\n{hash_}".encode()


def certify(
    explained: Explained,
    names: AccountNames,
    signer: Signer,
    *,
    connection: str,
    at: datetime,
    previous: Certificate | None = None,
) -> Certificate:
    """The certificate of a payout at the time `at`; Uncertifiable where what it is made of is not known.

    With `previous`, the newest version so far: that one itself where nothing has changed since, else the next version,
    which names its hash.
    """
    if explained.fatal:
        raise Uncertifiable(explained.payout.payout_id, explained.fatal)
    lines = [_line(number, one) for number, one in enumerate(explained.lines, 1)]
    entries = [_entry(one) for one in settlement(explained.payout)]
    head = Head(
        format=FORMAT,
        connection=connection,
        payout=_payout(explained.payout),
        version=1 if previous is None else previous.certificate.version + 1,
        previous="" if previous is None else previous.hash,
        issued_at=moment(at),
        totals=totals_of(lines, entries),
        settlement=entries,
        accounts=names.model_dump(),
        findings=[_finding(one) for one in explained.findings],
        seals=[seal_of(line) for line in lines],
    )
    if previous is not None and _says(previous.certificate) == _says(head):
        return previous
    return _signed(head, lines, signer)


def _says(head: Head) -> Head:
    """The head without what differs between two versions that say the same."""
    return head.model_copy(update={"version": 0, "previous": "", "issued_at": ""})


def _signed(head: Head, lines: list[CertifiedLine], signer: Signer) -> Certificate:
    name = digest(head.model_dump(mode="json"))
    signature = Signature(
        algorithm=ALGORITHM,
        key_id=signer.key_id,
        public_key=b64encode(signer.public_key).decode(),
        value=b64encode(signer.sign(signed_bytes(name))).decode(),
    )
    return Certificate(certificate=head, lines=lines, hash=name, signature=signature)


def seal_of(line: CertifiedLine) -> Seal:
    """What the head says of a line."""
    name = digest(line.model_dump(mode="json"))
    return Seal(transaction=line.transaction, amount=line.amount, fee=line.fee, net=line.net, hash=name)


def totals_of(lines: Sequence[CertifiedLine], settled: Iterable[Entry]) -> Totals:
    """The sums that the head has to hold."""
    kinds: dict[str, KindTotal] = {}
    charged: dict[str, int] = {}
    accounts: dict[str, int] = {}
    for line in lines:
        so_far = kinds.get(line.kind, KindTotal(lines=0, net=0))
        kinds[line.kind] = KindTotal(lines=so_far.lines + 1, net=so_far.net + line.net)
        if line.charged is not None:
            charged[line.charged.currency] = charged.get(line.charged.currency, 0) + line.charged.minor
    for entry in (*settled, *(entry for line in lines for entry in line.postings)):
        accounts[entry.account] = accounts.get(entry.account, 0) + entry.minor
    return Totals(
        lines=len(lines),
        amount=sum(line.amount for line in lines),
        fee=sum(line.fee for line in lines),
        net=sum(line.net for line in lines),
        kinds=kinds,
        charged=charged,
        accounts=accounts,
    )


def moment(at: datetime) -> str:
    """A time as the document writes it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _payout(payout: Payout) -> CertifiedPayout:
    own = payout.own
    if own is None:
        raise ValueError(f"{payout.payout_id} has no balance transaction yet")
    return CertifiedPayout(
        id=payout.payout_id,
        kind=payout.kind.value,
        status=payout.status.value,
        itemised=payout.itemised,
        minor=payout.money.minor,
        currency=payout.money.currency,
        fee=own.fee.minor,
        taken=-own.net.minor,
        returned=0 if payout.returned is None else payout.returned.net.minor,
        created=moment(payout.created),
        arrival=moment(payout.arrival),
        transaction=own.transaction_id,
        failure=payout.failure,
        trace=payout.trace,
    )


def _line(number: int, one: MatchedLine) -> CertifiedLine:
    line = one.line
    return CertifiedLine(
        number=number,
        transaction=line.transaction_id,
        kind=one.kind.value,
        category=line.category,
        type=line.type,
        at=moment(line.at),
        amount=line.amount.minor,
        fee=line.fee.minor,
        net=line.net.minor,
        fee_parts=[FeeShare(kind=part.kind, minor=part.amount.minor) for part in line.parts],
        charged=_amount(line.charged),
        rate="" if line.rate is None else f"{line.rate:f}",
        source=line.source_id,
        payment=line.payment_id,
        says=line.says,
        counterpart=_counterpart(one),
        postings=[_entry(posting) for posting in postings_of(one)],
    )


def _counterpart(one: MatchedLine) -> Counterpart:
    document, why = one.document, one.confidence.value
    if document is None:
        return Counterpart(confidence=why)
    return Counterpart(
        confidence=why,
        document=document.document_id,
        order=document.order_id,
        invoice=document.invoice_id,
        creditnote=document.creditnote_id,
        amount=_amount(document.money),
    )


def _amount(money: Money | None) -> Amount | None:
    return None if money is None else Amount(minor=money.minor, currency=money.currency)


def _entry(posting: Posting) -> Entry:
    return Entry(account=posting.account.value, minor=posting.money.minor, document=posting.document)


def _finding(one: Finding) -> CertifiedFinding:
    return CertifiedFinding(kind=one.kind.value, transaction=one.transaction_id, message=one.message)
