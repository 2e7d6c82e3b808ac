"""Every fault at every call: the books come out right, and docs/proof.md says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from cli.temporal_binary import find_or_get
from tests.faults.faults import FAULTS
from tests.faults.kinds import KINDS
from tests.faults.singles import record, suffer_all
from tests.faults.table import PAGE, pairs, take, written

PAIRS, SEED = 40, 4
TWICE = 10  # cells that a crowded machine may spoil


@pytest.mark.timeout(1800)
async def test_every_fault_at_every_call_leaves_the_books_right(temporal_client: Client, tmp_path: Path) -> None:
    """No cell has a violation, and the page has the rows and cells that were recorded and tried.

    Every kind of payment is recorded, so a call that is not on the page is seen; a fault at a call that several kinds
    make is tried in one of them here, and in each by `python -m tests.faults`.
    """
    table = await take(temporal_client, find_or_get(lambda _: None), tmp_path, every=False)
    sys.stdout.write(f"\n{table.text()}\n{table.summary()}\n")
    assert table.violations == {}
    assert table.tried_again <= TWICE
    assert table.differences(written()) == [], "python -m tests.faults --write takes the table anew"


@pytest.mark.timeout(600)
async def test_two_faults_of_one_payment_leave_the_books_right(temporal_client: Client, tmp_path: Path) -> None:
    """A drawn set of all pairs, the same each time; `python -m tests.faults --pairs all` tries every one."""
    stories = await record(temporal_client, tmp_path)
    found = await suffer_all(temporal_client, tmp_path, stories, pairs(stories, seed=SEED, count=PAIRS))
    assert len(found) == PAIRS
    assert {str(cell): wrong for cell, wrong in found.items() if wrong} == {}


def test_page_tells_what_each_fault_and_kind_is() -> None:
    """Whatever the table names is said in words above it, and no cell is empty or unknown."""
    text = PAGE.read_text(encoding="utf-8")
    for name, fault in FAULTS.items():
        assert f"| {name} | {fault.words} |" in text, name
    assert [name for name in KINDS if f"### {name}\n" not in text] == []
    cells = {cell.strip() for row in written().splitlines() if row.startswith("| ") for cell in row.split("|")[2:-1]}
    assert cells - set(FAULTS) - {"---"} == {"ok", "n/a"}
