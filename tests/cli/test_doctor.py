"""What the doctor sees of keys and fields, against running sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.checkups import stripe, zoho
from cli.checkups.finding import Finding, Mark
from clients.connections import Connection
from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.documents import CustomField
from clients.zoho.documents.contacts import NewContact
from clients.zoho.documents.sales import NewLine, NewSalesOrder
from domain.mapping_policy import MappingPolicy
from domain.policy import BooksPolicy, ReturnPolicy, ReturnTrigger
from domain.postings import AccountNames
from sandbox.serving import serve
from sandbox.stripe.app import make_app as make_stripe
from sandbox.zoho.app import make_app as make_zoho
from tests.clients.zoho.sandboxed.shop import DAY, SEED, Sandbox
from tests.house import connection_of

READS = (
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
    "payouts",
    "checkout/sessions",
    "invoices",
    "customers",
    "products",
    "events",
    "balance_transactions",
)
FIELDS = ("cf_stripe_charge_id", "cf_stripe_payment_id")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Our way to the sandboxes' own doors."""
    async with httpx.AsyncClient() as one:
        yield one


async def see_key(http: httpx.AsyncClient, rights: dict[str, str], **switches: bool) -> Finding:
    """What is found about a restricted key with these rights."""
    running = await serve(make_stripe(accounts=[]))
    key = "rk_test_restricted"
    account = {"id": "acct_1Test", "key": "sk_test_1", "restricted": {key: rights}}
    try:
        (await http.post(f"{running.url}/_seed", json={"accounts": [account]})).raise_for_status()
        (await http.post(f"{running.url}/_switches", json=switches)).raise_for_status()
        found = [one async for one in stripe.look(connection_of("shop", running.url, "http://unused", api_key=key))]
    finally:
        await running.stop()
    return next(one for one in found if one.what == "shop: Stripe key")


async def test_a_key_with_all_rights_is_well(http: httpx.AsyncClient) -> None:
    """Read for all that a payment reads, write for intents, whatever else it may not."""
    found = await see_key(http, dict.fromkeys(READS, "read") | {"payment_intents": "write"})
    assert found.mark is Mark.OK
    assert "not forbidden to write" in found.seen


@pytest.mark.parametrize("lost", READS)
async def test_a_right_that_is_missing_is_named(http: httpx.AsyncClient, lost: str) -> None:
    """Each right that a payment needs is missed by its name in the Dashboard."""
    rights = dict.fromkeys(READS, "read") | {"payment_intents": "write"}
    rights.pop(lost)
    found = await see_key(http, rights)
    assert (found.mark, stripe.RIGHTS[f"/v1/{lost}"] in found.seen) == (Mark.FAIL, True)


async def test_a_key_that_may_only_read_cannot_write_back(http: httpx.AsyncClient) -> None:
    """The order's id could not be written to the payment: said before the first payment, and nothing is written."""
    found = await see_key(http, dict.fromkeys(READS, "read"))
    assert (found.mark, found.seen) == (Mark.FAIL, "lacks PaymentIntents: write")


async def test_a_stripe_that_looks_first_hides_the_missing_right(http: httpx.AsyncClient) -> None:
    """Where Stripe would look for the payment before the right, nobody could tell: no false alarm, and no promise."""
    found = await see_key(http, dict.fromkeys(READS, "read"), rights_before_lookup=False)
    assert found.mark is Mark.OK
    assert "not forbidden to write" in found.seen


class Shop:
    """A Zoho sandbox with an organisation, and a connection to it."""

    def __init__(self, sandbox: Sandbox, connection: Connection, store: Store) -> None:
        self._sandbox = sandbox
        self._connection = connection
        self._store = store

    async def open(self, *fields: str, **more: Any) -> None:
        """The organisation with these custom fields of sales orders."""
        shown = [{"api_name": name, "label": name} for name in fields]
        seed = {**SEED["organizations"][0], "custom_fields": shown, **more}
        await self._sandbox.post("/_seed", {"organizations": [seed]})

    async def order(self, reference: str, *fields: str) -> None:
        """One order, with a value in each of these fields."""
        async with self._sandbox.client() as client:
            (item,) = await client.find_items(sku="TEA-1")
            contact = await client.create_contact(NewContact(contact_name=reference))
            line = NewLine(item_id=item.item_id, name="Tea", rate=item.rate, quantity=item.rate)
            wanted: dict[str, Any] = {
                "customer_id": contact.contact_id,
                "salesorder_number": f"SO-{reference}",
                "reference_number": reference,
                "date": DAY,
                "line_items": (line,),
                "custom_fields": tuple(CustomField(api_name=name, value="x") for name in fields),
            }
            await client.create_sales_order(NewSalesOrder(**wanted))

    async def switch(self, **switches: Any) -> None:
        """Moves switches of the sandbox."""
        await self._sandbox.post("/_switches", switches)

    async def see_scopes(self, **policy: Any) -> Finding:
        """What is found about the token's rights."""
        return await self._see("shop: Zoho scopes", policy)

    async def see_accounts(self, **policy: Any) -> Finding:
        """What is found about the accounts in Books."""
        return await self._see("shop: accounts in Zoho Books", policy)

    async def _see(self, what: str, policy: dict[str, Any]) -> Finding:
        changed = self._connection.policy.model_copy(update=policy)
        looked = zoho.look(self._connection.model_copy(update={"policy": changed}), self._store)
        return next(one for one in [one async for one in looked] if one.what == what)

    async def see_fields(self, mapping: MappingPolicy | None = None) -> Finding | None:
        """What is found about the custom fields, None where nothing is said of them."""
        changes = {} if mapping is None else {"mapping": mapping}
        seen = [one async for one in zoho.look(self._connection.model_copy(update=changes), self._store)]
        return next((one for one in seen if one.what == "shop: custom fields of sales orders"), None)


@pytest.fixture
async def shop(http: httpx.AsyncClient, tmp_path: Path) -> AsyncIterator[Shop]:
    """A Zoho whose organisation the test opens."""
    running = await serve(make_zoho())
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", KeyRing.generate())
    organization = SEED["organizations"][0]
    whole = connection_of("shop", "http://unused", running.url, mapping=MappingPolicy())
    account = whole.zoho.model_copy(
        update={
            "organization_id": organization["organization_id"],
            "client_id": organization["client_id"],
            "client_secret": type(whole.zoho.client_secret)(organization["client_secret"]),
            "refresh_token": type(whole.zoho.refresh_token)(organization["refresh_token"]),
        }
    )
    one = Shop(Sandbox(running.url, http), whole.model_copy(update={"zoho": account}), store)
    yield one
    await store.close()
    await running.stop()


async def test_rights_for_returns_are_asked_for_where_they_are_carried(shop: Shop) -> None:
    """A token without them is well for a shop that carries no returns, and named for one that does."""
    modules = ("settings", "items", "contacts", "salesorders", "invoices", "customerpayments", "organizations")
    await shop.open(scopes=[f"ZohoInventory.{module}.READ" for module in modules])
    assert (await shop.see_scopes()).mark is Mark.OK
    found = await shop.see_scopes(returns=ReturnPolicy(trigger=ReturnTrigger.RECEIVED))
    assert (found.mark, found.seen) == (Mark.FAIL, "the token may not read salesreturns, creditnotes")
    found = await shop.see_scopes(returns=ReturnPolicy(adjustment_reason="Customer return"))
    assert found.seen == "the token may not read salesreturns, creditnotes, inventoryadjustments"


async def test_accounts_and_rights_in_books_are_looked_at_where_payouts_are_posted(shop: Shop) -> None:
    """Clearing and bank have to be there; an account that few payouts need is a warning, and so is what is not seen."""
    books = {"books": BooksPolicy(post=True)}
    accounts = [{"account_name": name} for name in AccountNames().model_dump().values()]
    inventory = ["ZohoInventory.FullAccess.all"]
    await shop.open(scopes=inventory)
    assert (await shop.see_scopes()).mark is Mark.OK
    found = await shop.see_scopes(**books)
    assert (found.mark, found.seen) == (Mark.FAIL, "the token may not read ZohoBooks.accountants, ZohoBooks.banking")
    assert (await shop.see_accounts(**books)).mark is Mark.WARN
    every = [*inventory, "ZohoBooks.accountants.READ", "ZohoBooks.banking.READ"]
    await shop.open(scopes=every)
    assert (await shop.see_scopes(**books)).mark is Mark.OK
    found = await shop.see_accounts(**books)
    assert (found.mark, "'Stripe Clearing' is no active account" in found.seen) == (Mark.FAIL, True)
    await shop.open(accounts=[row for row in accounts if row["account_name"] != "Stripe Reserves"])
    found = await shop.see_accounts(**books)
    assert (found.mark, found.seen) == (Mark.WARN, "'Stripe Reserves' is no active account")
    await shop.open(accounts=accounts)
    assert (await shop.see_accounts(**books)).mark is Mark.OK
    await shop.open(apps=["inventory"])
    found = await shop.see_scopes(**books)
    assert (found.mark, "has the organisation no Zoho Books" in found.cure) == (Mark.FAIL, True)


async def test_fields_cannot_be_seen_without_an_order(shop: Shop) -> None:
    """Inventory lists no fields, so before the first order the doctor says so and what to make sure of."""
    await shop.open(*FIELDS)
    found = await shop.see_fields()
    assert found is not None
    assert (found.mark, "cannot be seen" in found.seen) == (Mark.WARN, True)
    assert all(name in found.cure for name in FIELDS)


async def test_an_order_with_both_fields_shows_that_they_exist(shop: Shop) -> None:
    """Our own order carries the ids."""
    await shop.open(*FIELDS)
    await shop.order("pi_3ABC", *FIELDS)
    found = await shop.see_fields()
    assert found is not None
    assert (found.mark, "SO-pi_3ABC" in found.seen) == (Mark.OK, True)


async def test_a_field_dropped_in_silence_is_a_failure(shop: Shop) -> None:
    """A Zoho that takes an unknown field and forgets it: our order without it tells, named with the cure."""
    await shop.open("cf_stripe_payment_id")
    await shop.switch(unknown_custom_field_refused=False)
    await shop.order("pi_3ABC", *FIELDS)
    await shop.order("by hand")
    found = await shop.see_fields()
    assert found is not None
    assert (found.mark, "without cf_stripe_charge_id" in found.seen) == (Mark.FAIL, True)


async def test_an_order_of_somebody_else_proves_nothing(shop: Shop) -> None:
    """An order made by hand may have left the fields empty."""
    await shop.open(*FIELDS)
    await shop.order("by hand")
    found = await shop.see_fields()
    assert found is not None
    assert (found.mark, "not ours" in found.seen) == (Mark.WARN, True)


async def test_fields_that_nobody_wants_are_not_looked_for(shop: Shop) -> None:
    """A connection that leaves both out hears nothing of them."""
    await shop.open(*FIELDS)
    assert await shop.see_fields(MappingPolicy(charge_field="", payment_field="")) is None
