"""A backfill by command, with the worker killed in the middle of it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.backfilling import pause, resume, show, start
from cli.exits import Exit, Stop
from cli.ledger_check import check
from cli.output import Format
from cli.shadowing import shadow
from tests.endtoend.backfilling import DAYS, in_the_past, mug
from tests.endtoend.processes import Processes, a_house_of_processes
from tests.house import QUICK

COUNT = 4
# A call that a dead worker had in hand is made again after this time.
SOON = QUICK.model_copy(update={"call_timeout": timedelta(seconds=8)})
DAY = timedelta(days=1)


def range_of_past() -> tuple[str, str]:
    """The days around the payments."""
    day = datetime.now(UTC) - DAYS * DAY
    return f"{day - 2 * DAY:%Y-%m-%d}", f"{day + 2 * DAY:%Y-%m-%d}"


def as_typed(house: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on commands of this process are those of the install."""
    for name, value in house.environment().items():
        if name.startswith("THROUGHLINE_"):
            monkeypatch.setenv(name, value)


async def test_a_killed_worker_carries_on_and_nothing_is_doubled(
    temporal_cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """kill -9 between two payments and in the middle of a write: every payment has its documents once; a second
    backfill of that time is refused while this one runs.
    """
    async with a_house_of_processes(temporal_cli, tmp_path, ["shop"], SOON) as house:
        [shop] = house.shops.values()
        payments = await in_the_past(shop, *(mug(number) for number in range(COUNT)))
        as_typed(house, monkeypatch)
        since, until = range_of_past()
        assert await shadow("", since, until, Format.TABLE, html=tmp_path / "shadow.html") is Exit.OK
        assert all(one in (tmp_path / "shadow.html").read_text() for one in payments)
        held = shop.zoho_program.door.hold("POST", r"/invoices$", after=True, skip=1)
        assert await start("", since, until, at_once=2, detach=True, form=Format.TABLE) is Exit.OK
        await asyncio.wait_for(held.reached.wait(), 60)
        await house.kill("worker")
        with pytest.raises(Stop, match=r"is running and shares some of that time"):
            await start("", since, until, at_once=2, detach=True, form=Format.TABLE)
        assert await pause("", "") is Exit.OK
        held.let_go.set()
        await house.start("worker")
        seen = await shown(capsys, "paused")
        assert seen["total"] == COUNT
        assert seen["started"] < COUNT
        assert await resume("", "") is Exit.OK
        seen = await shown(capsys, "done")
        assert (seen["started"], seen["completed"], seen["waiting"], seen["failed"]) == (COUNT, COUNT, 0, 0)
        assert check(await shop.stripe(), await shop.books()) == []
        orders = (await shop.books(only="salesorders"))["salesorders"]
        assert sorted(row["reference_number"] for row in orders) == sorted(payments)
        assert (await shop.store.audit.verify(shop.slug)).ok
        with pytest.raises(Stop, match="No backfill"):
            await pause("", "")


async def shown(capsys: pytest.CaptureFixture[str], state: str) -> dict[str, Any]:
    """What `backfill show` says once it says that; a question to a run goes to a dead worker for some seconds."""
    async with asyncio.timeout(90):
        while True:
            capsys.readouterr()
            assert await show("", "", Format.JSON) is Exit.OK
            [row] = json.loads(capsys.readouterr().out)
            if row["state"] == state:
                return dict(row)
            await asyncio.sleep(0.3)
