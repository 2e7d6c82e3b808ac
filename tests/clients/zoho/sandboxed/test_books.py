"""The client against a running Zoho sandbox: accounts, transfers and journals of Books."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from clients.errors import NotAllowed, OutcomeUnknown, Refused, TokenRefused
from clients.zoho.client import ZohoClient
from domain.books import JournalInput, Posted, Side, Transfer, TransferInput
from domain.money import Money
from tests.clients.zoho.conftest import Zoho, answer
from tests.clients.zoho.sandboxed.shop import DAY, SEED, Sandbox
from tests.sandbox.vendor.zoho_check import request_problems

ACCOUNTS = [
    {"account_id": "1", "account_name": "Stripe Clearing", "account_type": "payment_clearing"},
    {"account_id": "2", "account_name": "Bank", "account_type": "bank"},
    {"account_id": "3", "account_name": "Stripe Fees", "account_type": "expense"},
    {"account_id": "4", "account_name": "Gone", "is_active": False},
]
WHOLE, FEE = Money.of(3575, "EUR"), Money.of(250, "EUR")
ABOUT: dict[str, Any] = {"connection": "shop", "payment_id": "po_1"}
TRANSFER = Transfer(reference="po_1", source="1", target="2", money=WHOLE, day=DAY)
POST = TransferInput(**ABOUT, transfer=TRANSFER, says="Stripe payout po_1")
SIDES = (Side(account="1", money=-FEE), Side(account="3", money=FEE))
JOURNAL = JournalInput(**ABOUT, reference="po_1/1", sides=SIDES, day=DAY, says="Stripe payout po_1, version 1")


@pytest.fixture(autouse=True)
async def _chart(sandbox: Sandbox) -> None:
    """The shop's accounts."""
    await sandbox.post("/_seed", {"organizations": [{**SEED["organizations"][0], "accounts": ACCOUNTS}]})


async def test_accounts_are_read_page_by_page(client: ZohoClient) -> None:
    """The active ones."""
    found, more = await client.books.accounts(1)
    assert {one.name: one.account_id for one in found if one.account_id in "1234"} == {
        "Stripe Clearing": "1", "Bank": "2", "Stripe Fees": "3"
    }  # fmt: skip
    assert more is False
    assert await client.books.accounts(2) == ([], False)


@pytest.mark.parametrize("listed", ["once", "twice"])
async def test_a_transfer_is_made_found_read_and_deleted(client: ZohoClient, sandbox: Sandbox, listed: str) -> None:
    """It is found once, however often the list shows it; gone it is None, and deleted once more no error."""
    await sandbox.post("/_switches", {"transfers_listed": listed})
    made = await client.books.transfer(POST)
    assert await client.books.find_transactions("po_1") == [made]
    assert await client.books.find_transactions("po_10") == []
    seen = await client.books.transaction(made, "EUR")
    assert seen is not None
    assert seen.differs(TRANSFER) == ""
    for _ in range(2):
        await client.books.delete_transaction(made)
    assert await client.books.transaction(made, "EUR") is None


async def test_a_journal_is_made_found_read_and_deleted(client: ZohoClient) -> None:
    """Found by what its reference begins with; its sides are those that were posted, to the cent."""
    made = await client.books.journal(JOURNAL)
    other = await client.books.journal(JOURNAL.model_copy(update={"reference": "po_1/2"}))
    await client.books.journal(JOURNAL.model_copy(update={"reference": "po_10/1"}))
    assert sorted(await client.books.find_journals("po_1/"), key=lambda one: one.reference) == [
        Posted(document_id=made, reference="po_1/1"), Posted(document_id=other, reference="po_1/2")
    ]  # fmt: skip
    seen = await client.books.journal_seen(made, "EUR")
    assert seen is not None
    assert (seen.status, seen.differs(SIDES)) == ("published", "")
    for _ in range(2):
        await client.books.delete_journal(made)
    assert await client.books.journal_seen(made, "EUR") is None


async def test_a_journal_that_does_not_balance_is_refused(client: ZohoClient) -> None:
    """And nothing is posted."""
    with pytest.raises(Refused):
        await client.books.journal(JOURNAL.model_copy(update={"sides": (SIDES[0], Side(account="3", money=WHOLE))}))
    assert await client.books.find_journals("po_1/") == []


async def test_a_lost_answer_is_unknown(client: ZohoClient, sandbox: Sandbox) -> None:
    """It may have been posted, and here it was."""
    for path, write in (("banktransactions", client.books.transfer(POST)), ("journals", client.books.journal(JOURNAL))):
        await sandbox.fault("lost", "POST", f"/{path}$")
        with pytest.raises(OutcomeUnknown):
            await write
    assert len(await client.books.find_transactions("po_1")) == 1
    assert len(await client.books.find_journals("po_1/")) == 1


async def test_books_has_scopes_of_its_own(client: ZohoClient, sandbox: Sandbox) -> None:
    """A token of Inventory alone is refused."""
    organization = {**SEED["organizations"][0], "scopes": ["ZohoInventory.FullAccess.all"]}
    await sandbox.post("/_seed", {"organizations": [organization]})
    with pytest.raises((NotAllowed, TokenRefused)):
        await client.books.accounts(1)


async def test_all_that_is_asked_is_specified(zoho: Zoho, clock: Any) -> None:
    """Each request is known to the specification of Books, and goes to its address."""
    made = {"banktransaction": {"transaction_id": "1", "amount": 1}, "journal": {"journal_id": "1"}}
    zoho.says(answer({"chartofaccounts": [], "banktransactions": [], "journals": [], **made}))
    asked: tuple[Callable[[Any], Awaitable[object]], ...] = (
        lambda books: books.accounts(1),
        lambda books: books.transfer(POST),
        lambda books: books.find_transactions("po_1"),
        lambda books: books.transaction("1", "EUR"),
        lambda books: books.delete_transaction("1"),
        lambda books: books.journal(JOURNAL),
        lambda books: books.find_journals("po_1/"),
        lambda books: books.journal_seen("1", "EUR"),
        lambda books: books.delete_journal("1"),
    )
    async with zoho.client(clock) as client:
        for ask in asked:
            await ask(client.books)
    for call in zoho.calls:
        body = json.loads(call.content) if call.content else None
        assert call.url.path.startswith("/books/v3/")
        assert request_problems(call.method, call.url.path, dict(call.url.params), body) == []


async def test_an_ignored_filter_is_no_answer(zoho: Zoho, clock: Any) -> None:
    """Where the list shows other journals only, and goes on, nothing was learnt."""
    row = {"journal_id": "1", "reference_number": "mine"}
    zoho.says(answer({"journals": [row], "page_context": {"has_more_page": True}}))
    async with zoho.client(clock) as client:
        with pytest.raises(Refused) as caught:
            await client.books.find_journals("po_1/")
    assert caught.value.code == "filter_ignored"
