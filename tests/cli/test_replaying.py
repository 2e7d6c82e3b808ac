"""A whole class replayed, and a payment told once more, with the command as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.exits import Exit, Stop
from cli.main import run
from cli.replaying import replay_failed
from cli.rerunning import rerun
from tests.endtoend.backfilling import mug
from tests.endtoend.processes import a_house_of_processes
from tests.endtoend.test_backfill_killed import as_typed
from tests.house import BUYER, QUICK

LAMP = [{"sku": "LAMP", "unit_amount": 900, "quantity": 1}]


async def test_what_failed_is_begun_anew_and_what_is_done_is_told_once_more(
    temporal_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown first; by class and by end; refused where nobody can be asked, or a run is open."""
    async with a_house_of_processes(temporal_binary, tmp_path, ["one"], QUICK) as house:
        shop = house.shops["one"]
        as_typed(house, monkeypatch)
        good, *lamps = [await shop.pays(**wish) for wish in (mug(1), *([{"guest": BUYER, "lines": LAMP}] * 2))]
        await shop.done(good)
        for one in lamps:
            await shop.parked(one)
            await shop.answer(one, "abort", reason="no lamps")
            await shop.failed(one)
        assert await replay_failed("", "", dry_run=True, sure=False) is Exit.OK
        told = capsys.readouterr()
        assert [one in told.out for one in (*lamps, good)] == [True, True, False]
        assert "Nothing was done" in told.err
        with pytest.raises(Stop, match="add --yes"):
            await replay_failed("", "unknown_sku", dry_run=False, sure=False)
        assert await replay_failed("", "unknown_sku", dry_run=False, sure=True) is Exit.OK
        assert "2 were begun anew" in capsys.readouterr().err
        for one in lamps:
            await shop.parked(one)
        assert await replay_failed("", "", dry_run=False, sure=True) is Exit.OK
        assert "No run has closed without success" in capsys.readouterr().err
        with pytest.raises(Stop, match="is open"):
            await rerun(lamps[0], "", from_step="", reason="x", by="ada")
        assert await rerun(good, "", from_step="write_back", reason="the note was wiped", by="ada") is Exit.OK
        await shop.done(good)
        notes = [entry.note for entry in await shop.store.audit.entries(shop.slug, good)]
        assert "ada had it told once more from write_back on: the note was wiped" in notes


def test_what_cannot_be_told_once_more_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is reached."""
    for arguments, words in (
        (["replay"], "one of them"),
        (["replay", "pi_1", "--failed"], "one of them"),
        (["rerun", "re_1", "--reason", "x"], "is no payment"),
        (["rerun", "pi_1", "--reason", "x", "--from-step", "bill"], "no step 'bill': there are order, invoice"),
        (["rerun", "pi_1"], "Say why with --reason"),
        (["backfill"], "Say from when on"),
    ):
        assert run(arguments) == 2
        assert words in capsys.readouterr().err
