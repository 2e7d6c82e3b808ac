"""`throughline quota`: what the store remembers of each organisation's day, as a table and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.budget import Outcome, Rules
from clients.zoho.codec import Limit, Quota
from tests.cli.conftest import Command
from tests.cli.test_main import CONNECTION

ORGANIZATION = "1"


@pytest.fixture(autouse=True)
def install(tmp_path: Path) -> None:
    """An install of one connection."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    (tmp_path / ".throughline").mkdir()


async def learn(folder: Path, *words: tuple[int, int, Limit | None]) -> None:
    """Answers that told what was left so many hours ago, of 1000 calls of a day that ends in nine hours."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/.throughline/store.db", KeyRing.generate())
    now = datetime.now(UTC)
    for hours, remaining, limit in words:
        at = now - timedelta(hours=hours)
        await store.budgets.enter(ORGANIZATION, slot="s", rules=Rules(5, 0, 0), until=at, now=at)
        quota = Quota(limit=1000, remaining=remaining, resets_at=now + timedelta(hours=9))
        await store.budgets.leave(ORGANIZATION, slot="s", outcome=Outcome(at, True, quota, limit), now=at)
    await store.budgets.learn_zone(ORGANIZATION, "Europe/Berlin")
    await store.close()


async def told(throughline: Command, *more: str) -> dict[str, Any]:
    """The command's JSON."""
    ended = await throughline("quota", "--output", "json", *more)
    assert ended.code == 0, ended.err
    (row,) = json.loads(ended.out)
    return dict(row)


async def shown(throughline: Command) -> str:
    """The command's table, in one line."""
    ended = await throughline("quota")
    assert ended.code == 0, ended.err
    return " ".join(ended.out.split())


async def test_a_day_that_nobody_asked_yet_is_unknown(throughline: Command) -> None:
    """Nothing is guessed before the first answer."""
    row = await told(throughline)
    assert (row["organization"], row["used"], row["left"], row["gone_at"]) == (ORGANIZATION, None, None, None)
    assert row["calls_at_once"] == 5
    assert "not told yet" in await shown(throughline)


async def test_used_left_and_forecast(throughline: Command, tmp_path: Path) -> None:
    """Three quarters in six hours: the last quarter is gone in two, told in the organisation's own time.

    The reserve of 200 is kept for payments, and one call in every 7.5 hours until the day's end.
    """
    await learn(tmp_path, (6, 1000, None), (0, 250, None))
    row = await told(throughline)
    assert (row["limit"], row["used"], row["left"], row["blocked_until"]) == (1000, 750, 250, None)
    assert (row["kept"], row["live_per_hour"]) == (201, 0.1)
    gone = datetime.fromisoformat(row["gone_at"])
    assert abs(gone - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
    text = await shown(throughline)
    assert "750 of" in text
    assert "gone at" in text
    assert "Europe" in text


async def test_what_it_waits_for_and_how_to_ask_again(throughline: Command, tmp_path: Path) -> None:
    """A day that is used up says until when; after a purchase the limits are forgotten."""
    await learn(tmp_path, (0, 0, Limit("45", 3600.0)))
    row = await told(throughline)
    assert (row["left"], row["blocked_code"]) == (0, "45")
    assert datetime.fromisoformat(row["blocked_until"]) > datetime.now(UTC) + timedelta(minutes=50)
    assert "until" in await shown(throughline)
    row = await told(throughline, "--ask-again")
    assert (row["left"], row["blocked_until"]) == (None, None)


async def test_an_unknown_connection_is_a_wrong_usage(throughline: Command) -> None:
    """As with every command that takes one."""
    ended = await throughline("quota", "--connection", "nobody")
    assert ended.code == 2
    assert "there are demo" in ended.err
