"""`throughline payouts list` and `show`: the certificates that were issued, and what was posted of them."""

from __future__ import annotations

from pathlib import Path

from activities.books import posted_rows
from cli.exits import Exit, Stop
from cli.output import Format, say, show_json, show_rows, write_out
from cli.reach import one_connection, open_store
from clients.settings import load_settings
from domain.canonical import parse
from domain.certified import Certificate, CertifiedLine
from domain.money import Money

LISTED = {
    "payout": "Payout",
    "version": "Version",
    "status": "Status",
    "kind": "Kind",
    "amount": "Amount",
    "lines": "Lines",
    "findings": "To look at",
    "issued": "Issued",
    "hash": "Hash",
}
LINES = {
    "number": "Line",
    "kind": "Kind",
    "amount": "Amount",
    "fee": "Fee",
    "net": "Net",
    "source": "Source",
    "document": "Document",
    "confidence": "Why",
}
POSTED = {"kind": "In Zoho Books", "id": "Id", "reference": "Reference", "amount": "Amount", "state": ""}
FINDINGS = {"kind": "Finding", "transaction": "Row", "message": "What"}


async def list_certificates(connection: str, limit: int, form: Format) -> Exit:
    """The newest certificates, with what is still to be looked at."""
    settings = load_settings()
    slug = one_connection(settings, connection).slug
    store = await open_store(settings)
    try:
        issued = await store.payouts.issued(slug, limit)
    finally:
        await store.close()
    show_rows([_row(Certificate.model_validate(parse(one.document))) for one in issued], LISTED, form)
    return Exit.OK


async def show_certificate(payout: str, connection: str, version: int, to: Path | None, form: Format) -> Exit:
    """A version of a payout's certificate, 0 the newest, as tables, JSON or into a file. Stop where there is none."""
    versions, posted = await _known(connection, payout)
    if not versions:
        raise Stop(f"No certificate of {payout} was issued: `throughline exceptions list` shows what waits.")
    if version > len(versions):
        raise Stop(f"{payout} has {len(versions)} versions.", Exit.USAGE)
    text = versions[version - 1]
    certificate = Certificate.model_validate(parse(text))
    if to is not None:
        write_out(text, to)
        say(f"Version {certificate.certificate.version} of {payout}, hash {certificate.hash}")
    elif form is Format.JSON:
        show_json(certificate.document())
    else:
        _show(certificate, posted)
    return Exit.OK


def _show(certificate: Certificate, posted: list[dict[str, str]]) -> None:
    show_rows([_row(certificate)], LISTED, Format.TABLE)
    if certificate.certificate.payout.itemised:
        show_rows([_line(certificate, line) for line in certificate.lines], LINES, Format.TABLE)
    if certificate.certificate.findings:
        show_rows([one.model_dump() for one in certificate.certificate.findings], FINDINGS, Format.TABLE)
    if posted:
        show_rows(posted, POSTED, Format.TABLE)


async def _known(connection: str, payout: str) -> tuple[list[str], list[dict[str, str]]]:
    """Every version, and what was posted in Zoho Books, of all versions."""
    settings = load_settings()
    slug = one_connection(settings, connection).slug
    store = await open_store(settings)
    try:
        versions = await store.payouts.versions(slug, payout)
        posted = list(posted_rows(await store.effects.of(slug, payout)))
    finally:
        await store.close()
    return versions, [
        {
            "kind": one.kind,
            "id": one.document_id,
            "reference": one.reference,
            "amount": str(one.money or ""),
            "state": "deleted" if one.deleted else "",
        }
        for one in posted
    ]


def _row(certificate: Certificate) -> dict[str, str]:
    head = certificate.certificate
    itemised = head.payout.itemised
    return {
        "payout": head.payout.id,
        "version": str(head.version),
        "status": head.payout.status,
        "kind": head.payout.kind if itemised else f"{head.payout.kind}, not itemised",
        "amount": _money(head.payout.minor, head.payout.currency),
        "lines": str(len(certificate.lines)) if itemised else "",
        "findings": str(len(head.findings) or ""),
        "issued": head.issued_at,
        "hash": certificate.hash,
    }


def _line(certificate: Certificate, line: CertifiedLine) -> dict[str, str]:
    currency = certificate.certificate.payout.currency
    amounts = {name: _money(getattr(line, name), currency) for name in ("amount", "fee", "net")}
    about = {"number": str(line.number), "kind": line.kind, "source": line.source or line.says}
    return {**about, **amounts, "document": line.counterpart.document, "confidence": line.counterpart.confidence}


def _money(minor: int, currency: str) -> str:
    return str(Money.of(minor, currency))
