"""A certificate is checked by itself: hashes, sums, signature; what is wrong is named, with its line and cent."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from domain.canonical import NotCanonical, digest, parse
from domain.certificates import seal_of, signed_bytes, totals_of
from domain.certified import ALGORITHM, FORMAT, Certificate, CertifiedLine, Entry, Head, Seal
from domain.currencies import UnknownCurrency, exponent
from domain.money import Money
from domain.payments import Fact
from domain.payouts import LineKind
from domain.postings import Account

#: Whether these 32 bytes are the public half of the key that signed the message: (key, message, signature).
SignatureCheck = Callable[[bytes, bytes, bytes], bool]


class Flaw(Fact):
    """One thing that is wrong. `where` is a line ("line 3 (txn_…)"), or a place in the head."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Verdict(Fact):
    """What a check came to. `key_id`, `public_key` (base64) are the signature's own: whose they are, it cannot say."""

    flaws: tuple[Flaw, ...] = ()
    payout_id: str = ""
    money: Money | None = None
    lines: int = 0
    version: int = 0
    hash: str = ""
    key_id: str = ""
    public_key: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.flaws


def verify(
    text: str | bytes, check: SignatureCheck, *, trusted: bytes | None = None, previous: str | bytes | None = None
) -> Verdict:
    """Everything that is wrong with the certificate in `text`, needing nothing else.

    `trusted` is the public key that it has to be signed with; without it the key in the document is used, which shows
    that nothing was changed since, and not who signed. `previous` is the version before, which it has to name.
    """
    try:
        certificate = Certificate.model_validate(parse(text))
        digest(certificate.document())
        _known_currencies(certificate)
    except (NotCanonical, UnknownCurrency) as error:
        return Verdict(flaws=(Flaw(where="document", what=str(error)),))
    except ValidationError as error:
        return Verdict(flaws=tuple(_shape(error)))
    flaws = [*_flaws(certificate), *_signature(certificate, check, trusted)]
    flaws += _order(certificate, previous) if previous is not None else ()
    return _verdict(certificate, flaws)


def _known_currencies(certificate: Certificate) -> None:
    head = certificate.certificate
    charged = {line.charged.currency for line in certificate.lines if line.charged is not None}
    for code in {head.payout.currency, *head.totals.charged, *charged}:
        exponent(code)


def _verdict(certificate: Certificate, flaws: Sequence[Flaw]) -> Verdict:
    head, signature = certificate.certificate, certificate.signature
    return Verdict(
        flaws=tuple(dict.fromkeys(flaws)),
        payout_id=head.payout.id,
        money=Money.of(head.payout.minor, head.payout.currency),
        lines=len(certificate.lines),
        version=head.version,
        hash=certificate.hash,
        key_id=signature.key_id,
        public_key=signature.public_key,
    )


def _shape(error: ValidationError) -> Iterator[Flaw]:
    for fault in error.errors():
        path = [str(part + 1) if isinstance(part, int) else part for part in fault["loc"]]
        yield Flaw(where=" ".join(path) or "document", what=fault["msg"])


def _flaws(certificate: Certificate) -> Iterator[Flaw]:
    head = certificate.certificate
    if head.format != FORMAT:
        yield Flaw(where="format", what=f"is {head.format!r}; this release reads {FORMAT}")
    yield from _seals(head, certificate.lines)
    for place, line in enumerate(certificate.lines, 1):
        yield from _line(place, line, head.payout.currency)
    yield from _sums(head, certificate.lines)
    yield from _totals(head, certificate.lines)
    if (found := digest(head.model_dump(mode="json"))) != certificate.hash:
        yield Flaw(where="hash", what=f"is {certificate.hash}, and the head comes to {found}: one of them was changed")


def _at(place: int, transaction: str) -> str:
    return f"line {place} ({transaction})"


def _seals(head: Head, lines: Sequence[CertifiedLine]) -> Iterator[Flaw]:
    """Each line against what the signed head says of it."""
    currency, sealed = head.payout.currency, {seal.transaction: seal for seal in head.seals}
    counted, wanted = (Counter(one.transaction for one in rows) for rows in (lines, head.seals))
    for place, line in enumerate(lines, 1):
        if line.transaction not in sealed:
            net = Money.of(line.net, currency)
            yield Flaw(where=_at(place, line.transaction), what=f"was not there when it was signed, and adds {net}")
        else:
            yield from _against(place, line, sealed[line.transaction], currency)
    for place, seal in enumerate(head.seals, 1):
        where, net = _at(place, seal.transaction), Money.of(seal.net, currency)
        if not counted[seal.transaction]:
            yield Flaw(where=where, what=f"is missing: its {net} was there when it was signed")
        if counted[seal.transaction] > wanted[seal.transaction]:
            yield Flaw(where=where, what=f"is there {counted[seal.transaction]} times: each one too many adds {net}")
        if wanted[seal.transaction] > 1:
            yield Flaw(where=f"seal {place} ({seal.transaction})", what="is there more than once")
    if counted == wanted:
        for place, (line, seal) in enumerate(zip(lines, head.seals, strict=True), 1):
            if line.transaction != seal.transaction:
                what = f"stands where {seal.transaction} stood when it was signed"
                yield Flaw(where=_at(place, line.transaction), what=what)


def _against(place: int, line: CertifiedLine, seal: Seal, currency: str) -> Iterator[Flaw]:
    where, same = _at(place, line.transaction), True
    for name in ("amount", "fee", "net"):
        now, then = getattr(line, name), getattr(seal, name)
        if now != then:
            same = False
            yield Flaw(where=where, what=f"{name} {_differs(now, then, currency, 'was signed')}")
    if same and seal_of(line).hash != seal.hash:
        yield Flaw(where=where, what="is not what was signed: its hash is another")


def _differs(now: int, then: int, currency: str, word: str) -> str:
    """`is 10.01 EUR, and 10.00 EUR was signed: 0.01 EUR too much`."""
    found, wanted = Money.of(now, currency), Money.of(then, currency)
    return f"is {found}, and {wanted} {word}: {abs(found - wanted)} too {'much' if now > then else 'little'}"


def _line(place: int, line: CertifiedLine, currency: str) -> Iterator[Flaw]:
    """A line by itself: net, fee and postings."""
    where = _at(place, line.transaction)
    if line.number != place:
        yield Flaw(where=where, what=f"is numbered {line.number}")
    if line.kind not in set(LineKind):
        yield Flaw(where=where, what=f"is of the unknown kind {line.kind!r}")
    if line.net != line.amount - line.fee:
        yield Flaw(
            where=where, what=f"net {_differs(line.net, line.amount - line.fee, currency, 'is amount less fee')}"
        )
    parts, posted = sum(part.minor for part in line.fee_parts), sum(entry.minor for entry in line.postings)
    if parts != line.fee:
        yield Flaw(where=where, what=f"the sum of the fee's parts {_differs(parts, line.fee, currency, 'is the fee')}")
    if posted != line.net:
        yield Flaw(where=where, what=f"the sum of the postings {_differs(posted, line.net, currency, 'is the net')}")
    yield from _accounts(where, line.postings)


def _accounts(where: str, entries: Sequence[Entry]) -> Iterator[Flaw]:
    for entry in entries:
        if entry.account not in set(Account) - {Account.CLEARING}:
            yield Flaw(where=where, what=f"posts to the unknown account {entry.account!r}")


def _sums(head: Head, lines: Sequence[CertifiedLine]) -> Iterator[Flaw]:
    """Lines = payout = postings, to the cent."""
    payout, currency = head.payout, head.payout.currency

    def compare(where: str, what: str, now: int, then: int, word: str) -> Iterator[Flaw]:
        if now != then:
            yield Flaw(where=where, what=f"{what} {_differs(now, then, currency, word)}")

    yield from compare("payout", "what it took", payout.taken, payout.minor + payout.fee, "is its amount and fee")
    yield from _accounts("settlement", head.settlement)
    settled = sum(entry.minor for entry in head.settlement)
    yield from compare("settlement", "the sum", settled, payout.returned - payout.taken, "was taken")
    if not payout.itemised:
        if lines:
            yield Flaw(where="payout", what=f"is not itemised, and has {len(lines)} lines")
        return
    nets = sum(line.net for line in lines)
    posted = sum(entry.minor for line in lines for entry in line.postings)
    yield from compare("lines", "their sum", nets, payout.taken, f"left with {payout.id}")
    yield from compare("postings", "their sum", posted, payout.taken, f"left with {payout.id}")


def _totals(head: Head, lines: Sequence[CertifiedLine]) -> Iterator[Flaw]:
    """The head's own sums against the lines'."""
    says = _flat("totals", head.totals.model_dump())
    comes_to = _flat("totals", totals_of(lines, head.settlement).model_dump())
    for where in dict.fromkeys((*says, *comes_to)):
        now, then = says.get(where, 0), comes_to.get(where, 0)
        if now != then and where.endswith(" lines"):
            yield Flaw(where=where, what=f"is {now}, and there are {then}")
        elif now != then:
            currency = where.rpartition(" ")[2] if where.startswith("totals charged") else head.payout.currency
            yield Flaw(where=where, what=_differs(now, then, currency, "is what the lines come to"))


def _flat(where: str, value: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, below in value.items():
        found |= _flat(f"{where} {name}", below) if isinstance(below, dict) else {f"{where} {name}": below}
    return found


def _signature(certificate: Certificate, check: SignatureCheck, trusted: bytes | None) -> Iterator[Flaw]:
    signature, head = certificate.signature, certificate.certificate
    try:
        key, value = (b64decode(text, validate=True) for text in (signature.public_key, signature.value))
    except (binascii.Error, ValueError):
        yield Flaw(where="signature", what="key or value is no base64")
        return
    if signature.algorithm != ALGORITHM:
        yield Flaw(where="signature", what=f"is made by {signature.algorithm!r}; this release knows {ALGORITHM}")
    if trusted is not None and key != trusted:
        yield Flaw(where="signature", what=f"is made with another key ({signature.key_id}) than the one given")
    if not check(trusted or key, signed_bytes(digest(head.model_dump(mode="json"))), value):
        yield Flaw(where="signature", what="does not belong to this head: one of them was changed")


def _order(certificate: Certificate, previous: str | bytes) -> Iterator[Flaw]:
    """Whether it follows the version before."""
    head = certificate.certificate
    try:
        older = Certificate.model_validate(parse(previous))
    except (NotCanonical, ValidationError):
        yield Flaw(where="previous", what="the version before cannot be read")
        return
    if older.certificate.payout.id != head.payout.id:
        yield Flaw(where="previous", what=f"the other is about {older.certificate.payout.id}")
    elif head.previous != digest(older.certificate.model_dump(mode="json")):
        yield Flaw(where="previous", what=f"names {head.previous or 'none'}, and the version before is {older.hash}")
    elif head.version != older.certificate.version + 1:
        yield Flaw(where="version", what=f"is {head.version}, after {older.certificate.version}")
