"""The form of a payout's certificate: what stands in the document, part by part."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

FORMAT = "throughline.payout-certificate/1"
ALGORITHM = "Ed25519"


class _Part(BaseModel):
    """A part of the document: nothing may be missing, nothing more may be there, a number is a whole one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Amount(_Part):
    """Minor units of a currency."""

    minor: int
    currency: str


class FeeShare(_Part):
    """A part of a fee, in minor units of the payout's currency."""

    kind: str
    minor: int


class Entry(_Part):
    """A posting: `minor` units came into the clearing account from `account`; `document` carries it already."""

    account: str
    minor: int
    document: str


class Counterpart(_Part):
    """The document of the books that a line was matched with, and why; `document` "" where there is none."""

    confidence: str
    document: str = ""
    order: str = ""
    invoice: str = ""
    creditnote: str = ""
    amount: Amount | None = None


class CertifiedLine(_Part):
    """A line, all amounts in minor units of the payout's currency; `number` counts from 1."""

    number: int
    transaction: str
    kind: str
    category: str
    type: str
    at: str
    amount: int
    fee: int
    net: int
    fee_parts: list[FeeShare]
    charged: Amount | None
    rate: str
    source: str
    payment: str
    says: str
    counterpart: Counterpart
    postings: list[Entry]


class Seal(_Part):
    """What the signed head says of a line: its amounts, and the hash of all of it."""

    transaction: str
    amount: int
    fee: int
    net: int
    hash: str


class CertifiedPayout(_Part):
    """The payout itself. `itemised` is false for a manual or instant one: a transfer whose lines nobody tells.

    `taken` is what it took off the balance, its fee included; `returned` what came back after a failure.
    """

    id: str
    kind: str
    status: str
    itemised: bool
    minor: int
    currency: str
    fee: int
    taken: int
    returned: int
    created: str
    arrival: str
    transaction: str
    failure: str
    trace: str


class KindTotal(_Part):
    """How many lines of a kind there are and what they come to."""

    lines: int
    net: int


class Totals(_Part):
    """Sums over the lines, and over all postings by account; `charged` by the buyers' currencies."""

    lines: int
    amount: int
    fee: int
    net: int
    kinds: dict[str, KindTotal]
    charged: dict[str, int]
    accounts: dict[str, int]


class CertifiedFinding(_Part):
    """What was missing or uncertain when it was issued."""

    kind: str
    transaction: str
    message: str


class Head(_Part):
    """What is signed. `previous` is the hash of the version before, "" for the first."""

    format: str
    connection: str
    payout: CertifiedPayout
    version: int
    previous: str
    issued_at: str
    totals: Totals
    settlement: list[Entry]
    accounts: dict[str, str]
    findings: list[CertifiedFinding]
    seals: list[Seal]


class Signature(_Part):
    """Ed25519 over `signed_bytes` of the hash; key and signature in base64."""

    algorithm: str
    key_id: str
    public_key: str
    value: str


class Certificate(_Part):
    """The whole document. `hash` is the SHA-256 of the head's canonical form: it names this version."""

    certificate: Head
    lines: list[CertifiedLine]
    hash: str
    signature: Signature

    def document(self) -> dict[str, Any]:
        """The document as plain values, to be written by `domain.canonical`."""
        return self.model_dump(mode="json")
