"""`throughline payouts`: a certificate is checked, and turned into a journal, by nothing but the file."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.reach import open_store
from clients.settings import Settings, read_signing_keys
from domain.books import Posted
from domain.canonical import canonical, parse
from domain.certificates import certify
from domain.certified import Certificate
from domain.matching import explain
from domain.money import Money
from domain.payouts import PayoutStatus
from domain.postings import AccountNames
from tests.cli.conftest import Command
from tests.cli.test_main import CONNECTION
from tests.domain.months import a_line, a_payout

AT = datetime(2026, 11, 3, tzinfo=UTC)
NOWHERE = {"THROUGHLINE_STORE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/x", "THROUGHLINE_CONNECTIONS_FILE": "none"}


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Of a payout of a charge, a refund and a fee, signed by the install's own key, in `po_1.json`."""
    ring = read_signing_keys(Settings(home=tmp_path / ".throughline"))
    lines = [
        a_line(1, "charge", 4990, 175, tax=28, source_id="ch_1"),
        a_line(2, "refund", -990),
        a_line(3, "fee", -250),
    ]
    explained = explain(a_payout(lines), lines, ())
    made = certify(explained, AccountNames(bank="Volksbank"), ring, connection="shop", at=AT)
    (tmp_path / "po_1.json").write_bytes(canonical(made.document()))
    failed = explain(
        a_payout(lines, status=PayoutStatus.FAILED, returned=a_line(9, "payout_reversal", 3575)), lines, ()
    )
    later = certify(failed, AccountNames(bank="Volksbank"), ring, connection="shop", at=AT, previous=made)
    (tmp_path / "po_1-2.json").write_bytes(canonical(later.document()))
    return made


async def test_a_sound_certificate_is_said_to_be_so(
    throughline: Command, certificate: Certificate, tmp_path: Path
) -> None:
    """Without any setting, store or network; with our public key also whose it is."""
    ended = await throughline("payouts", "verify", "po_1.json", "-o", "json", **NOWHERE)
    assert ended.code == 0, ended.err
    (row,) = json.loads(ended.out)
    assert (row["payout"], row["amount"], row["lines"], row["hash"]) == ("po_1", "35.75 EUR", "3", certificate.hash)
    assert "only --key can tell" in ended.err
    keys = await throughline("payouts", "keys", "-o", "json")
    (own,) = json.loads(keys.out)
    ended = await throughline("payouts", "verify", "po_1.json", "--key", own["public"])
    assert (ended.code, ended.err) == (0, "")
    other = b64encode(bytes(range(32))).decode()
    ended = await throughline("payouts", "verify", "po_1.json", "--key", other, "-o", "json")
    assert ended.code == 1
    assert "another key (s1)" in ended.out
    ended = await throughline("payouts", "verify", "po_1-2.json", "--previous", "po_1.json", "--key", own["public"])
    assert ended.code == 0, ended.out
    ended = await throughline("payouts", "verify", "po_1.json", "--previous", "po_1-2.json")
    assert ended.code == 1


async def test_a_changed_cent_is_named(throughline: Command, certificate: Certificate, tmp_path: Path) -> None:
    """Which line, and by how much."""
    document = certificate.document()
    document["lines"][1]["amount"] += 1
    (tmp_path / "po_1.json").write_text(json.dumps(document))
    ended = await throughline("payouts", "verify", "po_1.json", "-o", "json")
    assert ended.code == 1
    flaws: list[dict[str, Any]] = json.loads(ended.out)
    assert flaws[0] == {
        "where": "line 2 (txn_2)", "what": "amount is -9.89 EUR, and -9.90 EUR was signed: 0.01 EUR too much"
    }  # fmt: skip
    ended = await throughline("payouts", "journal", "po_1.json")
    assert (ended.code, ended.out) == (1, "")
    assert "is not sound" in ended.err


async def test_what_cannot_be_read_is_said(throughline: Command, tmp_path: Path) -> None:
    """No file, no certificate, no key, no such format: a sentence each."""
    (tmp_path / "x.json").write_text("{}")
    for arguments, code, says in (
        (("verify", "none.json"), 2, "cannot be read"),
        (("verify", "x.json"), 1, "Field required"),
        (("verify", "x.json", "--key", "abc"), 3, "public key"),
        (("journal", "x.json", "--format", "pdf"), 2, "csv or json"),
    ):
        ended = await throughline("payouts", *arguments)
        assert ended.code == code, ended.err
        assert says in ended.out + ended.err
        assert "Traceback" not in ended.err


async def test_certificates_are_listed_and_shown(
    throughline: Command, certificate: Certificate, tmp_path: Path
) -> None:
    """Newest first; line by line with the reason; written out again it is the very document."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    later = (tmp_path / "po_1-2.json").read_text()
    store = await open_store(Settings(home=tmp_path / ".throughline"))
    text = (tmp_path / "po_1.json").read_text()
    await store.payouts.issue("demo", "po_1", 1, certificate.hash, document=text, at=AT)
    newest = Certificate.model_validate(parse(later)).hash
    await store.payouts.issue("demo", "po_1", 2, newest, document=later, at=AT + timedelta(days=1))
    posted = {"answer": Posted(document_id="4600001", reference="po_1").model_dump_json()}
    money = Money.of(3575, "EUR")
    await store.effects.complete(
        "demo", "post_transfer#po_1", "po_1", result=posted, at=AT, actor="payout:demo:po_1", amount=money
    )
    await store.close()
    rows = json.loads((await throughline("payouts", "list", "-o", "json")).out)
    assert [(row["payout"], row["version"], row["status"], row["amount"], row["findings"]) for row in rows] == [
        ("po_1", "2", "failed", "35.75 EUR", "2"), ("po_1", "1", "paid", "35.75 EUR", "2")
    ]  # fmt: skip
    shown = await throughline("payouts", "show", "po_1", "--version", "1")
    for word in ("49.90 EUR", "-2.50 EUR", "ch_1", "payment_missing", "refund_missing", "transfer", "4600001"):
        assert word in shown.out
    document = json.loads((await throughline("payouts", "show", "po_1", "-o", "json")).out)
    assert document == json.loads(later)
    ended = await throughline("payouts", "show", "po_1", "--version", "1", "--to", "out.json")
    assert certificate.hash in ended.err
    assert (tmp_path / "out.json").read_text() == text
    assert (await throughline("payouts", "show", "po_nowhere")).code == 1
    assert (await throughline("payouts", "show", "po_1", "--version", "3")).code == 2


async def test_the_journal_is_written(throughline: Command, certificate: Certificate, tmp_path: Path) -> None:
    """Balanced, as CSV in major units or JSON in minor ones, in full or summed by account."""
    ended = await throughline("payouts", "journal", "po_1.json")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert len(rows) == 2 * 6
    assert sum(Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0) for row in rows) == 0
    await throughline("payouts", "journal", "po_1.json", "--format", "json", "--summary", "--to", "sum.json")
    sums = {row["account"]: row["debit"] - row["credit"] for row in json.loads((tmp_path / "sum.json").read_text())}
    assert sums == {"Stripe Unmatched": -4000, "Stripe Fees": 397, "Input Tax on Stripe Fees": 28, "Volksbank": 3575}
    ended = await throughline("payouts", "journal", "po_1.json", "--format", "json", "--open")
    assert {row["document"] for row in json.loads(ended.out)} == {""}
