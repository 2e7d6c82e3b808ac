"""Zoho Books' mount: chart of accounts, transfers of funds and journals, behind the same gate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.sandbox.zoho.shop import SHOP, Refused, Row, Shop

BOOKS = "/books/v3"
TRANSFER: Row = {
    "transaction_type": "transfer_fund",
    "from_account_id": "900",
    "to_account_id": "911",
    "amount": "35.75",
    "date": "2026-11-03",
    "reference_number": "po_1",
    "description": "Stripe payout po_1",
}
LINES = [
    {"account_id": "912", "debit_or_credit": "debit", "amount": "2.50", "description": "fees"},
    {"account_id": "900", "debit_or_credit": "credit", "amount": "2.50"},
]
JOURNAL: Row = {
    "journal_date": "2026-11-03", "reference_number": "po_1/1", "notes": "Stripe payout po_1", "line_items": LINES,
}  # fmt: skip


async def transfer(shop: Shop, **changes: Any) -> Row:
    """A transfer of funds from clearing to bank."""
    made: Row = (await shop.call("POST", f"{BOOKS}/banktransactions", TRANSFER | changes))["banktransaction"]
    return made


async def journal(shop: Shop, **changes: Any) -> Row:
    """A journal of a fee."""
    made: Row = (await shop.call("POST", f"{BOOKS}/journals", JOURNAL | changes))["journal"]
    return made


async def refused(shop: Shop, method: str, path: str, body: Row) -> int:
    """The code that a request is refused with."""
    with pytest.raises(Refused) as caught:
        await shop.call(method, f"{BOOKS}{path}", body)
    return int(caught.value.code)


async def test_the_chart_is_listed(shop: Shop) -> None:
    """By name, page by page, inactive ones where they are asked for."""
    rows = (await shop.call("GET", f"{BOOKS}/chartofaccounts", filter_by="AccountType.Active"))["chartofaccounts"]
    assert [(row["account_name"], row["account_type"]) for row in rows] == [
        ("House bank", "bank"), ("Stripe clearing", "payment_clearing"), ("Stripe fees", "expense"),
        ("Undeposited Funds", "cash"),
    ]  # fmt: skip
    page = await shop.call("GET", f"{BOOKS}/chartofaccounts", page=2, per_page=2)
    assert [row["account_name"] for row in page["chartofaccounts"]] == ["Stripe clearing", "Stripe fees"]
    assert page["page_context"]["has_more_page"] is True
    every = (await shop.call("GET", f"{BOOKS}/chartofaccounts"))["chartofaccounts"]
    assert [row["account_name"] for row in every if not row["is_active"]] == ["Old fees"]


async def test_a_transfer_is_made_read_listed_and_deleted(shop: Shop) -> None:
    """Found by its reference; the money is on the other account, until it is deleted."""
    made = await transfer(shop)
    assert shop.last.headers["Location"] == f"/api/v3/banktransactions/{made['transaction_id']}"
    read = (await shop.call("GET", f"{BOOKS}/banktransactions/{made['transaction_id']}"))["banktransaction"]
    assert (read["amount"], read["to_account_name"]) == (Decimal("35.75"), "House bank")
    listed = await shop.call("GET", f"{BOOKS}/banktransactions", reference_number="po_1")
    assert [row["transaction_id"] for row in listed["banktransactions"]] == [made["transaction_id"]]
    assert (await shop.call("GET", f"{BOOKS}/banktransactions", reference_number="po_2"))["banktransactions"] == []
    accounts = (await shop.ledger())["accounts"]
    assert accounts == {"Stripe clearing": {"EUR": Decimal("-35.75")}, "House bank": {"EUR": Decimal("35.75")}}
    await shop.call("DELETE", f"{BOOKS}/banktransactions/{made['transaction_id']}")
    assert (await shop.ledger())["banktransactions"] == []
    assert (await shop.send("GET", f"{BOOKS}/banktransactions/{made['transaction_id']}")).json()["code"] == 1002


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_type": "deposit"},
        {"amount": 0},
        {"to_account_id": "900"},
        {"to_account_id": "913"},
        {"from_account_id": "7"},
        {"to_account_id": "912"},
    ],
)
async def test_a_transfer_that_cannot_be_is_refused(shop: Shop, changes: Row) -> None:
    """Of another type, of nothing, to itself, to an inactive, unknown or wrong kind of account."""
    await refused(shop, "POST", "/banktransactions", TRANSFER | changes)
    assert (await shop.ledger())["banktransactions"] == []


async def test_any_account_takes_a_transfer(shop: Shop) -> None:
    """Where the switch says so."""
    await shop.switch(transfer_takes_any_account=True)
    assert (await transfer(shop, to_account_id="912"))["to_account_name"] == "Stripe fees"


async def test_a_transfer_may_be_listed_from_both_sides(shop: Shop) -> None:
    """The same id twice, once as debit."""
    await shop.switch(transfers_listed="twice")
    await transfer(shop)
    rows = (await shop.call("GET", f"{BOOKS}/banktransactions"))["banktransactions"]
    assert [row["debit_or_credit"] for row in rows] == ["credit", "debit"]
    assert len({row["transaction_id"] for row in rows}) == 1


async def test_a_journal_is_made_read_listed_and_deleted(shop: Shop) -> None:
    """Found by the beginning of its reference; what it moves is on the accounts, a draft moves nothing."""
    made = await journal(shop)
    read = (await shop.call("GET", f"{BOOKS}/journals/{made['journal_id']}"))["journal"]
    assert [(row["debit_or_credit"], row["amount"]) for row in read["line_items"]] == [
        ("debit", Decimal("2.5")), ("credit", Decimal("2.5"))
    ]  # fmt: skip
    await journal(shop, reference_number="po_10/1", status="draft")
    listed = await shop.call("GET", f"{BOOKS}/journals", reference_number_startswith="po_1/")
    assert [row["journal_id"] for row in listed["journals"]] == [made["journal_id"]]
    accounts = (await shop.ledger())["accounts"]
    assert accounts == {"Stripe fees": {"EUR": Decimal("2.5")}, "Stripe clearing": {"EUR": Decimal("-2.5")}}
    await shop.call("DELETE", f"{BOOKS}/journals/{made['journal_id']}")
    assert (await shop.ledger())["accounts"] == {}


@pytest.mark.parametrize(
    "line",
    [
        {"amount": "2.49"},
        {"amount": 0},
        {"debit_or_credit": "left"},
        {"account_id": "913"},
        {"debit_or_credit": "debit"},
    ],
)
async def test_a_journal_that_cannot_be_is_refused(shop: Shop, line: Row) -> None:
    """Unbalanced by a cent, of nothing, on no side, on an inactive account, without a credit."""
    await refused(shop, "POST", "/journals", JOURNAL | {"line_items": [LINES[0], LINES[1] | line]})
    await refused(shop, "POST", "/journals", JOURNAL | {"journal_date": ""})
    assert (await shop.ledger())["journals"] == []


async def test_switches_of_journals(shop: Shop) -> None:
    """Whether a bank's account is taken, and what a journal is that says nothing of its status."""
    lines = [LINES[0], LINES[1] | {"account_id": "911"}]
    await journal(shop, line_items=lines)
    await shop.switch(journal_takes_bank=False, new_journal_status="draft")
    await refused(shop, "POST", "/journals", JOURNAL | {"line_items": lines})
    assert (await journal(shop))["status"] == "draft"


async def test_the_gate_is_the_same(shop: Shop) -> None:
    """Its own scopes, the same token, organisation, limits, faults and count of calls; not without Books."""
    await shop.open({**SHOP, "scopes": ["ZohoBooks.banking.CREATE", "ZohoInventory.FullAccess.all"]})
    await transfer(shop)
    assert (await shop.send("GET", f"{BOOKS}/journals")).json()["code"] == 57
    await shop.open({**SHOP, "minute_limit": 2})
    await shop.fault(fault="lost", method="POST", path="/journals")
    with pytest.raises(httpx.RemoteProtocolError):  # the connection ends
        await journal(shop)
    assert [row["reference_number"] for row in (await shop.ledger())["journals"]] == ["po_1/1"]
    await shop.call("GET", f"{BOOKS}/journals")
    assert (await shop.send("GET", f"{BOOKS}/journals")).json()["code"] == 44
    assert (await shop.ledger())["calls"]["counts"] == {"POST /journals": 1, "GET /journals": 2}
    await shop.open({**SHOP, "apps": ["inventory"]})
    assert (await shop.send("GET", f"{BOOKS}/journals")).status_code == 400
    assert (await shop.send("GET", "/books/v3/salesorders")).json()["code"] == 5
