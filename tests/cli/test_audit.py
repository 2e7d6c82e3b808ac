"""`throughline audit`: what was done leaves as a file, and a change behind our back is named."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.reach import open_store
from clients.settings import Settings
from domain.money import Money
from tests.cli.conftest import Command
from tests.cli.test_main import CONNECTION
from tests.clients.store.conftest import run_sql

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A store of five entries of the connection `demo`, one a day; one note begins like a formula."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    settings = Settings(home=tmp_path / ".throughline")
    store = await open_store(settings)
    for day in range(5):
        await store.effects.complete(
            "demo",
            "create_invoice",
            f"pi_{day}",
            result={"invoice_id": str(day)},
            at=AT + timedelta(days=day),
            actor="payment:demo:pi",
            amount=Money.of(4990 + day, "EUR"),
            note="=1+1" if day == 2 else "written",
        )
    await store.close()
    return settings.database_url()


async def test_a_range_is_exported_with_the_head(throughline: Command, url: str, tmp_path: Path) -> None:
    """JSON lines to stdout, CSV to a file; from a day on, before another; the head on stderr."""
    ended = await throughline("audit", "export", "--since", "2026-11-21", "--until", "2026-11-23T12:00:00Z")
    assert ended.code == 0, ended.err
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [(row["seq"], row["stripe_id"], row["amount"]) for row in rows] == [
        (2, "pi_1", "49.91"),
        (3, "pi_2", "49.92"),
    ]
    assert "head: 5:" in ended.err
    ended = await throughline("audit", "export", "--format", "csv", "--to", "trail.csv")
    assert (ended.code, ended.out) == (0, "")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "trail.csv").read_text())))
    assert [row["seq"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[2]["note"] == "'=1+1"
    assert rows[0]["result"] == '{"invoice_id": "0"}'


async def test_a_kept_head_betrays_a_trail_that_was_cut(throughline: Command, url: str) -> None:
    """The chain alone looks whole; against the head that was kept it is not, and the code says so."""
    ended = await throughline("audit", "verify", "--output", "json")
    (report,) = json.loads(ended.out)
    assert (ended.code, report["ok"], report["entries"]) == (0, "yes", "5")
    await run_sql(url, "DELETE FROM audit WHERE seq = 5")
    await run_sql(url, "DELETE FROM effects WHERE stripe_id = 'pi_4'")
    assert (await throughline("audit", "verify")).code == 0
    ended = await throughline("audit", "verify", "--head", report["head"], "--output", "json")
    assert ended.code == 1
    assert "entry 5 is missing" in json.loads(ended.out)[0]["reason"]


async def test_a_changed_entry_is_named_by_both(throughline: Command, url: str) -> None:
    """Export still writes what there is, and fails."""
    await run_sql(url, "UPDATE audit SET minor = 1 WHERE seq = 3")
    ended = await throughline("audit", "verify", "--output", "json")
    assert (ended.code, json.loads(ended.out)[0]["ok"]) == (1, "no")
    ended = await throughline("audit", "export")
    assert ended.code == 1
    assert "entry 3 was changed" in ended.err
    assert len(ended.out.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "--since", "yesterday"), "no time"),
        (("export", "--format", "xml"), "csv or jsonl"),
        (("export", "--to", "no/such/folder/x"), "cannot be written"),
        (("verify", "--head", "12"), "64 hex digits"),
    ],
)
async def test_wrong_words_are_code_2(throughline: Command, url: str, arguments: tuple[str, ...], words: str) -> None:
    """Refused with a sentence, nothing written."""
    ended = await throughline("audit", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
