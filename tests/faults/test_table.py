"""Every fault at every call: the books come out right, and docs/proof.md says so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest
from temporalio.client import Client

from cli.temporal_binary import find_or_get
from tests.faults.cells import Cell
from tests.faults.faults import FAULTS
from tests.faults.kinds import KINDS
from tests.faults.singles import Stories, record, suffer_all
from tests.faults.table import PAGE, drawn, once_each, pairs, singles, take, written

SINGLES, KILLS, PAIRS, SEED = 170, 18, 8, 4
# What no payment needs with which nothing goes wrong: it looks for what a lost answer, or a lost store, leaves open, or
# takes back what a payout posted.
AFTER_A_FAULT = [
    "delete_journal",
    "delete_transfer",
    "find_address",
    "find_adjustments",
    "find_comment",
    "find_correction",
    "find_fee",
    "find_given_back",
    "find_invoice",
    "find_packages",
    "find_payment",
    "find_receipt",
    "find_return_mark",
    "find_sale",
    "keep_fee_found",
    "keep_receipt_found",
    "release_contact",
    "see_person",
]
# What asks nobody outside, or (the last) asks what another activity asks as well.
ASKS_NOBODY = [
    "plan_addresses",
    "prepare_order",
    "remember_payment",
    "sell_beyond_stock",
    "start_change",
    "start_dispute",
    "notify_paid",
    "note_waiting",
    "tell_attention",
    "tell_resolved",
    "resolve_dispute",
]
# What people do in Zoho by hand: tests/endtoend/test_by_hand.py.
BY_HAND = [
    "begin_order_poll",
    "list_changed",
    "trace_credit_note",
    "see_restocked",
    "tell_restocked",
    "refresh_contacts",
    "refresh_items",
    "keep_look",
    "end_order_poll",
    "tell_check",
    "carry_back",
    "notify_shipment",
    "note_gone",
    "find_all_given_back",
    "find_standing",
    "carry_anew",
]
# Of payments from before: tests/endtoend/test_backfill.py.
OF_A_BACKFILL = [
    "adopt_sales_order",
    "find_orders_by_hand",
    "known_numbers",
    "list_charges",
    "start_backfilled",
    "list_cases",
    "start_cases",
    "find_credits_by_hand",
    "watch_backfilled",
]
# What is asked for no payment at all: tests/workflows/test_return_polls.py, tests/endtoend/test_sweep.py, test_payouts.
OF_A_SHOP = [
    "list_returns",
    "keep_returns",
    "list_proposals",
    "keep_proposals",
    "find_beginning",
    "look_at_received",
    "look_at_events",
    "look_at_balance",
    "heal_gaps",
    "note_sweep",
    "watch_quota",
    "look_at_payouts",
    "look_at_open_payouts",
    "tell_payouts",
    "keep_credit_found",
    "leave_postings",
]
# What only a shop asks whose orders have a field for it: tests/endtoend/test_disputes.py.
OF_DISPUTES = ["recall_order"]
# What is read only where a credit note without a return stands before: tests/endtoend/test_adjustments.py.
OF_CREDITED = ["read_credited"]
SHOWN_ELSEWHERE = [*OF_A_SHOP, *OF_A_BACKFILL, *OF_DISPUTES, *OF_CREDITED, *BY_HAND]
TWICE = 10  # cells that a crowded machine may spoil


@pytest.fixture(scope="module")
async def stories(temporal_client: Client, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """Every kind of payment with which nothing goes wrong."""
    return await record(temporal_client, tmp_path_factory.mktemp("stories"))


@pytest.mark.timeout(1800)
async def test_faults_at_every_call_leave_the_books_right(
    temporal_client: Client, tmp_path: Path, stories: Stories
) -> None:
    """No cell has a violation, and the page has the rows and cells that were recorded and tried.

    Every kind of payment is recorded, so a call that is not on the page is seen. Each call suffers some of the faults
    here, drawn once and for all, and each of them in every kind by `python -m tests.faults`.
    """

    def some(cells: Sequence[Cell]) -> list[Cell]:
        once = once_each(cells)
        kills = [cell for cell in once if not cell.faults[0][1].arm]
        others = [cell for cell in once if cell.faults[0][1].arm]
        return [*drawn(others, seed=SEED, count=SINGLES), *drawn(kills, seed=SEED, count=KILLS)]

    table = await take(temporal_client, find_or_get(lambda _: None), tmp_path, stories, some=some)
    suffered = [cell.faults[0] for cell in table.found]
    assert {call for call, _ in suffered} == {cell.faults[0][0] for cell in singles(table.stories)}
    assert {fault for _, fault in suffered} == set(FAULTS.values())
    sys.stdout.write(f"\n{table.text()}\n{table.summary()}\n")
    assert table.violations == {}
    assert table.tried_again <= TWICE
    called = {name for story in table.stories.values() for name in story.activities}
    names = (PAGE.parents[1] / "tests/activity_names.txt").read_text(encoding="utf-8").split()
    uncalled = set(names) - called - set(chain(AFTER_A_FAULT, ASKS_NOBODY, SHOWN_ELSEWHERE))
    assert uncalled == set(), "a new call needs a kind of payment that makes it"
    assert table.differences(written()) == [], "python -m tests.faults --write takes the table anew"


@pytest.mark.timeout(600)
async def test_two_faults_of_one_payment_leave_the_books_right(
    temporal_client: Client, tmp_path: Path, stories: Stories
) -> None:
    """A drawn set of all pairs, the same each time; `python -m tests.faults --pairs all` tries every one."""
    found = await suffer_all(temporal_client, tmp_path, stories, pairs(stories, seed=SEED, count=PAIRS))
    assert len(found) == PAIRS
    assert {str(cell): wrong for cell, wrong in found.items() if wrong} == {}


def test_page_tells_what_each_fault_and_kind_is() -> None:
    """Whatever the table names is said above it in words; the page owns to each cell that is yet to be tried."""
    text = PAGE.read_text(encoding="utf-8")
    for name, fault in FAULTS.items():
        assert f"| {name} | {fault.words} |" in text, name
    assert [name for name in KINDS if f"### {name}\n" not in text] == []
    untried, kind = set(), ""
    for row in written().splitlines():
        kind = row.removeprefix("### ") if row.startswith("### ") else kind
        cells = {cell.strip() for cell in row.split("|")[2:-1]} if row.startswith("| ") else set()
        untried |= {kind} if "?" in cells else set()
        assert cells - set(FAULTS) - {"---"} <= {"ok", "n/a", "?"}
    assert [name for name in untried if f"*{name}*" not in text] == []
