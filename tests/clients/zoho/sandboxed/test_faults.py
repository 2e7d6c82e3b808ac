"""The client against a running Zoho sandbox that loses answers, has limits and drops tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clients.errors import ClientError, OutcomeUnknown, RateLimited, Refused, TokenRefused, TryLater, Unreachable
from clients.keys import KeyRing
from clients.store.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.records.invoices import Invoice
from clients.zoho.records.orders import SalesOrder
from clients.zoho.tokens import MemoryTokens
from tests.clients.zoho.conftest import ORGANIZATION
from tests.clients.zoho.sandboxed.shop import Sandbox, a_contact, a_payment, an_order, invoiced

Write = Callable[[ZohoClient, Invoice], Awaitable[object]]
WRITES: list[tuple[str, Write, str]] = [
    ("/contacts$", lambda z, i: z.create_contact(a_contact("Bea")), "contacts"),
    ("/salesorders$", lambda z, i: an_order_of(z, i), "salesorders"),
    ("/customerpayments$", lambda z, i: z.create_payment(a_payment(i)), "payments"),
]


async def an_order_of(client: ZohoClient, invoice: Invoice) -> SalesOrder:
    return await an_order(client, await client.get_contact(invoice.customer_id), "SO-4")


@pytest.mark.parametrize(("path", "write", "kind"), WRITES, ids=[case[2] for case in WRITES])
@pytest.mark.parametrize(
    ("fault", "applied", "error"),
    [
        ("lost", 1, OutcomeUnknown),
        ("malformed", 1, OutcomeUnknown),
        ("timeout", 1, OutcomeUnknown),
        ("drop", 0, OutcomeUnknown),
        ("server_error", 0, OutcomeUnknown),
        ("refuse", 0, Refused),
        ("rate_limit", 0, RateLimited),
    ],
)
async def test_a_fault_tells_whether_a_write_may_have_happened(
    sandbox: Sandbox,
    client: ZohoClient,
    path: str,
    write: Write,
    kind: str,
    fault: str,
    applied: int,
    error: type[ClientError],
) -> None:
    """The ledger shows what happened; the error never says "it did not" where it did, and nothing is sent twice."""
    invoice = await invoiced(client)
    before = len((await sandbox.ledger())[kind])
    await sandbox.fault(fault, "POST", path, seconds=2.0)
    async with sandbox.client(seconds=0.5) as hasty:
        with pytest.raises(error) as caught:
            await write(hasty, invoice)
    assert type(caught.value) is error
    assert len((await sandbox.ledger())[kind]) - before == applied


@pytest.mark.parametrize("fault", ["lost", "malformed", "drop", "server_error"])
async def test_a_spoiled_read_may_be_repeated(sandbox: Sandbox, client: ZohoClient, fault: str) -> None:
    """The first try fails as one to repeat, the second goes well."""
    await sandbox.fault(fault, "GET", "/settings/taxes")
    with pytest.raises(TryLater) as caught:
        await client.list_taxes()
    assert type(caught.value) is TryLater
    assert len(await client.list_taxes()) == 1


@pytest.mark.parametrize(("code", "pause"), [(44, 60.0), (1070, 2.0), (45, 3600.0)])
async def test_each_limit_has_its_pause(sandbox: Sandbox, client: ZohoClient, code: int, pause: float) -> None:
    """The minute, the calls in process, the day (until the organisation's midnight where the header says it)."""
    await sandbox.fault("rate_limit", "GET", "/settings/taxes", code=code)
    with pytest.raises(RateLimited) as caught:
        await client.list_taxes()
    assert (caught.value.code, caught.value.status) == (str(code), 429)
    assert caught.value.retry_after is not None
    assert 0 <= caught.value.retry_after <= (86_400 if code == 45 else pause)
    assert code == 45 or caught.value.retry_after == pause


async def test_the_daily_quota_ends_the_day(sandbox: Sandbox, client: ZohoClient) -> None:
    """With three calls a day the fourth is refused until midnight, and the quota says none is left."""
    await sandbox.post("/_seed", {"organizations": [{"organization_id": ORGANIZATION, "daily_limit": 3}]})
    for _ in range(3):
        await client.list_taxes()
    with pytest.raises(RateLimited) as caught:
        await client.list_taxes()
    assert client.quota is not None
    assert client.quota.remaining == 0
    left = (client.quota.resets_at - datetime.now(UTC)).total_seconds()
    assert caught.value.retry_after == pytest.approx(left, abs=35)


async def test_an_expired_token_is_replaced_once_for_twenty_calls(sandbox: Sandbox, client: ZohoClient) -> None:
    """Zoho's clock runs ahead of ours: twenty calls meet a 401, one refresh follows, all go well."""
    await client.list_taxes()
    await sandbox.post("/_clock", {"advance": 3601})
    assert all(await asyncio.gather(*(client.list_taxes() for _ in range(20))))
    assert (await sandbox.ledger())["token_calls"] == {"issued": 2}


async def test_two_workers_on_one_store_refresh_once(sandbox: Sandbox) -> None:
    """Ten calls each, at once, without a token: one is issued."""
    tokens = MemoryTokens()
    async with sandbox.client(tokens) as one, sandbox.client(tokens) as other:
        assert all(await asyncio.gather(*(client.list_taxes() for client in [one, other] * 10)))
    assert (await sandbox.ledger())["token_calls"] == {"issued": 1}


async def test_two_stores_on_one_database_refresh_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Two workers with connections of their own to one SQLite file: one token, which a third finds there."""
    url, keys = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", KeyRing.generate()
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(3):
            store = await Store.open(url, keys)
            stack.push_async_callback(store.close)
            clients.append(await stack.enter_async_context(sandbox.client(store.tokens)))
        assert all(await asyncio.gather(*(client.list_taxes() for client in clients[:2] * 10)))
        assert len(await clients[2].list_taxes()) == 1
    assert (await sandbox.ledger())["token_calls"] == {"issued": 1}


async def test_wrong_credentials_are_told_apart(sandbox: Sandbox) -> None:
    """An organisation's client that Zoho does not know, also where it answers 200 to it."""
    for position in (False, True):
        await sandbox.post("/_switches", {"token_errors_as_200": position})
        async with sandbox.client(client_id="1000.OTHER") as stranger:
            with pytest.raises(TokenRefused, match="client id or secret is wrong"):
                await stranger.list_taxes()


async def test_another_data_centre_does_not_know_the_client(sandbox: Sandbox) -> None:
    """The organisation is of `us`: its client is unknown at `eu`, and at home where it belongs."""
    foreign, home = f"{sandbox.url}/eu", f"{sandbox.url}/us"
    async with sandbox.client(accounts_base=foreign, api_base=foreign) as client:
        with pytest.raises(TokenRefused, match="another data centre"):
            await client.list_taxes()
    async with sandbox.client(accounts_base=home, api_base=home) as client:
        assert len(await client.list_taxes()) == 1


async def test_a_sandbox_that_is_down_is_unreachable(sandbox: Sandbox, client: ZohoClient) -> None:
    """Nothing was sent, whatever it was."""
    invoice = await invoiced(client)
    async with sandbox.client(api_base="http://127.0.0.1:1") as lost:
        with pytest.raises(Unreachable):
            await lost.create_payment(a_payment(invoice))
    assert (await sandbox.ledger())["payments"] == []
