"""`throughline payouts verify`, `journal` and `keys`: what a certificate says by itself, without a store or network."""

from __future__ import annotations

import json
from base64 import b64encode
from enum import StrEnum
from pathlib import Path

from cli.exits import Exit, Stop
from cli.output import Format, say, show_json, show_rows, write_out
from clients.settings import load_settings, read_signing_keys
from clients.signing import read_public_key, signed_by
from domain.canonical import parse
from domain.certified import Certificate
from domain.journal import journal, summary, to_csv, to_rows
from domain.verification import Verdict, verify

FLAWS = {"where": "Where", "what": "What is wrong"}
SOUND = {
    "payout": "Payout",
    "amount": "Amount",
    "lines": "Lines",
    "version": "Version",
    "hash": "Hash",
    "signed": "Signed by",
}
KEYS = {"key": "Key", "public": "Public key", "signs": "Signs now"}


class JournalFormat(StrEnum):
    """How a journal is written."""

    CSV = "csv"
    JSON = "json"


def verify_file(file: Path, key: str, previous: Path | None, form: Format) -> Exit:
    """Whether the certificate is sound; `key` is the public key that signed it, `previous` the version before."""
    trusted = read_public_key(key) if key else None
    before = None if previous is None else _text(previous)
    verdict = verify(_text(file), signed_by, trusted=trusted, previous=before)
    return _told(file, verdict, form, ours=trusted is not None)


def _told(file: Path, verdict: Verdict, form: Format, *, ours: bool) -> Exit:
    if not verdict.sound:
        flaws = [flaw.model_dump() for flaw in verdict.flaws]
        show_rows(flaws, FLAWS, form, title=f"{file} is not what was signed")
        return Exit.FAILED
    row = {
        "payout": verdict.payout_id,
        "amount": str(verdict.money),
        "lines": str(verdict.lines),
        "version": str(verdict.version),
        "hash": verdict.hash,
        "signed": f"{verdict.key_id}:{verdict.public_key}",
    }
    show_rows([row], SOUND, form, title=f"{file} is sound")
    if not ours:
        say("Nothing was changed since it was signed. Whose key that is, only --key can tell: see `payouts keys`.")
    return Exit.OK


def write_journal(file: Path, form: str, to: Path | None, *, open_only: bool, summarised: bool) -> None:
    """A certificate's postings as `csv` or `json`, to stdout where no file is named. Stop for one that is not sound."""
    if form not in set(JournalFormat):
        raise Stop(f"--format takes csv or json, not {form!r}.", Exit.USAGE)
    text = _text(file)
    if not verify(text, signed_by).sound:
        raise Stop(f"{file} is not sound: `throughline payouts verify {file}` says why.")
    lines = journal(Certificate.model_validate(parse(text)), open_only=open_only)
    lines = summary(lines) if summarised else lines
    if form == JournalFormat.CSV:
        write_out(to_csv(lines), to)
    elif to is None:
        show_json(to_rows(lines))
    else:
        write_out(json.dumps(to_rows(lines), indent=2, ensure_ascii=False) + "\n", to)


def show_keys(form: Format) -> None:
    """The public keys of this install's certificates."""
    ring = read_signing_keys(load_settings())
    rows = [
        {"key": name, "public": b64encode(key).decode(), "signs": "yes" if name == ring.key_id else ""}
        for name, key in ring.public_keys().items()
    ]
    show_rows(rows, KEYS, form)


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Stop(f"{file} cannot be read ({error.strerror}).", Exit.USAGE) from None
