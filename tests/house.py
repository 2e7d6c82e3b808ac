"""A whole house in one process: sandboxes over real HTTP, real store, real Temporal, worker and ingress."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy

from activities.assembly import assemble
from activities.shops import Shops
from clients.connections import Connection, StripeAccount, ZohoAccount
from clients.keys import KeyRing
from clients.signing import SigningRing
from clients.store import Store
from clients.tracing import NO_TRACING, Tracing
from clients.watch import Watch
from domain.by_hand import ByHandPolicy
from domain.mapping_policy import MappingPolicy
from domain.policy import PaymentPolicy
from domain.runs import PaymentInput
from ingress.app import make_app as make_ingress
from ingress.run import serving
from ingress.starter import Starter
from sandbox.serving import serve
from sandbox.stripe.app import make_app as make_stripe
from sandbox.zoho.app import make_app as make_zoho
from tests.payment_runs import PaymentRuns
from worker import now, open_shop
from workflows.workers import make_workers

ACCOUNT = {"id": "acct_1Test", "key": "sk_test_1", "country": "DE", "default_currency": "eur"}
ORGANIZATION = "60001234567"
QUICK = PaymentPolicy(
    unpaid_patience=timedelta(seconds=30),
    settle_wait=timedelta(milliseconds=200),
    contact_lease=timedelta(seconds=5),
    first_retry=timedelta(milliseconds=20),
    longest_retry=timedelta(milliseconds=500),
    call_timeout=timedelta(seconds=5),
    fee_patience=timedelta(0),
    tell_after=timedelta(milliseconds=300),
    sale_patience=timedelta(0),
    payout_look=timedelta(milliseconds=300),
    payout_patience=timedelta(seconds=20),
    by_hand=ByHandPolicy(poll_every=timedelta(0)),  # a poll is a run that never ends
)
SIGNER = SigningRing.generate()
MAPPING = MappingPolicy(shipping_sku="SHIPPING", shipment_days=2)
ITEMS = [
    {"sku": "MUG", "name": "Mug", "rate": 15, "stock": 1000},
    {"sku": "TEA", "name": "Tea, 100 g", "rate": 9.99, "stock": 1000},
    {"sku": "POT", "name": "Teapot", "rate": 49.9, "stock": 1000},
    {"sku": "SHIPPING", "name": "Shipping", "rate": 5, "product_type": "service"},
]
SEED: dict[str, Any] = {
    "name": "Shop",
    "currency_code": "EUR",
    "time_zone": "Europe/Berlin",
    "data_center": "eu",
    "minute_limit": 100_000,
    "daily_limit": 1_000_000,
    "concurrency_limit": 1000,
    "currencies": [
        {"currency_code": "USD", "exchange_rate": 0.92, "price_precision": 2},
        {"currency_code": "JPY", "exchange_rate": 0.0061, "price_precision": 0},
        {"currency_code": "KWD", "exchange_rate": 2.98, "price_precision": 3},
    ],
    "taxes": [{"tax_name": "VAT 19", "tax_percentage": 19}, {"tax_name": "VAT 7", "tax_percentage": 7}],
    "items": ITEMS,
    "custom_fields": [
        {"api_name": "cf_stripe_charge_id", "label": "Stripe charge"},
        {"api_name": "cf_stripe_payment_id", "label": "Stripe payment"},
    ],
}
RETURN_FIELDS = [
    {"api_name": name, "label": name, "entity": entity}
    for entity in ("salesreturn", "creditnote")
    for name in ("cf_stripe_refund_id", "cf_stripe_refund_status")
]
BUYER: dict[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "phone": "+49 30 1234",
    "address": {"line1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"},
}


@dataclass
class House(PaymentRuns):
    """What a test can do with it."""

    store: Store
    stripe_url: str
    zoho_url: str
    ingress_url: str
    connection: Connection
    http: httpx.AsyncClient
    queue: str = ""  # of its workflows

    async def pay(self, **wish: Any) -> dict[str, Any]:
        """A payment in the Stripe sandbox, announced by its usual events."""
        given = {"account": self.connection.stripe.account_id, "currency": "eur", **wish}
        return dict(await self.post(f"{self.stripe_url}/_pay", given))

    async def post(self, url: str, body: Mapping[str, Any]) -> Any:
        """A sandbox's own door."""
        answer = await self.http.post(url, json=body)
        answer.raise_for_status()
        return answer.json(parse_float=Decimal)

    def start_of(self, payment_id: str) -> dict[str, Any]:
        """What every run of the payment starts with."""
        return {
            "connection": self.slug,
            "payment_id": payment_id,
            "organization_id": self.connection.zoho.organization_id,
            "policy": self.connection.policy,
            "zoho_queue": f"{self.queue}-zoho",
        }

    async def once_more(self, workflow: str, start: PaymentInput, id: str) -> dict[str, Any]:
        """What a run comes to that is begun under the id of a completed one, on purpose."""
        again = WorkflowIDReusePolicy.ALLOW_DUPLICATE
        handle = await self.client.start_workflow(workflow, start, id=id, task_queue=self.queue, id_reuse_policy=again)
        return dict(await handle.result())

    async def fault(self, at: str, **fault: Any) -> None:
        """Break something at `stripe` or `zoho`."""
        await self.post(f"{self.stripe_url if at == 'stripe' else self.zoho_url}/_faults", fault)

    async def zoho(self, organization: str = ORGANIZATION, *, only: str = "") -> dict[str, Any]:
        """The organisation's ledger, or those of its sections that `only` names, with commas between."""
        wanted = {"organization_id": organization, "only": only}
        answer = await self._ledger(self.zoho_url, wanted)
        return dict(answer.json(parse_float=Decimal)["organizations"][organization])

    async def stripe(self, *, only: str = "") -> dict[str, Any]:
        """Stripe's ledger, or those of its sections that `only` names, with commas between."""
        return dict((await self._ledger(self.stripe_url, {"only": only})).json())

    async def _ledger(self, url: str, wanted: Mapping[str, str]) -> httpx.Response:
        """Asked once more where the connection, idle until now, was closed at the other end just when it was used."""
        try:
            return await self.http.get(f"{url}/_ledger", params=wanted)
        except httpx.TransportError:
            return await self.http.get(f"{url}/_ledger", params=wanted)


def connection_of(slug: str, stripe_url: str, zoho_url: str, **changes: Any) -> Connection:
    """A pair of sandbox accounts."""
    return Connection(
        slug=slug,
        stripe=StripeAccount(
            account_id=changes.pop("account_id", "acct_1Test"),
            livemode=False,
            api_key=SecretStr(changes.pop("api_key", "sk_test_1")),
            webhook_secrets=changes.pop("secrets", (SecretStr("whsec_unset"),)),
            pull=changes.pop("pull", False),
            api_base=stripe_url,
            requests_per_second=1000,
            requests_per_endpoint=1000,
        ),
        zoho=ZohoAccount(
            data_center="eu",
            organization_id=changes.pop("organization_id", ORGANIZATION),
            client_id="client",
            client_secret=SecretStr("secret"),
            refresh_token=SecretStr("refresh"),
            api_base=zoho_url,
            accounts_base=zoho_url,
            calls_at_once=changes.pop("calls_at_once", 1000),
            calls_per_minute=changes.pop("calls_per_minute", 0),
            webhook_secrets=changes.pop("zoho_secrets", ()),
        ),
        policy=changes.pop("policy", QUICK),
        mapping=changes.pop("mapping", MAPPING),
        **changes,
    )


@asynccontextmanager
async def a_house(
    client: Client,
    folder: Path,
    *,
    workers: int = 1,
    cached: int = 1000,
    store_url: str = "",
    seed: Mapping[str, Any] | None = None,
    events: Sequence[str] = ("*",),
    tracing: Tracing = NO_TRACING,
    **changes: Any,
) -> AsyncIterator[House]:
    """Everything running; `seed` changes the organisation, `changes` the connection.

    Stripe makes a charge's balance transaction only when it is asked to.
    """
    slug = f"shop-{uuid.uuid4().hex[:12]}"
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        stripe_url, zoho_url = await _sandboxes(stack, http, seed or {})
        store = await Store.open(store_url or f"sqlite+aiosqlite:///{folder}/{slug}.db", KeyRing.generate())
        stack.push_async_callback(store.close)
        secret = "whsec_" + uuid.uuid4().hex
        secrets = () if changes.get("pull") else (SecretStr(secret),)
        connection = connection_of(slug, stripe_url, zoho_url, secrets=secrets, **changes)
        queue = f"house-{slug}"
        for _ in range(workers):
            own = client if workers == 1 else await _another(client)
            shops = Shops([await open_shop(stack, connection, store, watch=Watch(slug, tracing), signer=SIGNER)])
            for worker in make_workers(
                own,
                assemble(shops, store, _starter(own, connection, queue), now),
                queues=(queue, f"{queue}-zoho"),
                cached=cached,
            ):
                await stack.enter_async_context(worker)
        app = make_ingress(
            {slug: connection}, client, store, starter=_starter(client, connection, queue), tracing=tracing
        )
        ingress_url = await stack.enter_async_context(serving(app, "127.0.0.1", 0))
        if secrets:
            door = {"url": f"{ingress_url}/webhooks/stripe/{slug}", "enabled_events": list(events), "secret": secret}
            (await http.post(f"{stripe_url}/_endpoints", json={"account": ACCOUNT["id"], **door})).raise_for_status()
        yield House(slug, client, store, stripe_url, zoho_url, ingress_url, connection, http, queue)


async def _sandboxes(stack: AsyncExitStack, http: httpx.AsyncClient, seed: Mapping[str, Any]) -> tuple[str, str]:
    """The addresses of a Stripe and a Zoho with their account and organisation."""
    stripe = await serve(make_stripe(accounts=[]))
    stack.push_async_callback(stripe.stop)
    zoho = await serve(make_zoho())
    stack.push_async_callback(zoho.stop)
    organization = {"organization_id": ORGANIZATION, **SEED, **seed}
    for url, body in (
        (f"{stripe.url}/_seed", {"accounts": [ACCOUNT]}),
        (f"{zoho.url}/_seed", {"organizations": [organization]}),
        (f"{stripe.url}/_switches", {"balance_after": None}),
    ):
        (await http.post(url, json=body)).raise_for_status()
    return stripe.url, zoho.url


async def _another(client: Client) -> Client:
    """A client of the same Temporal, with a connection of its own."""
    host = client.service_client.config.target_host
    return await Client.connect(host, namespace=client.namespace, plugins=client.config()["plugins"])


def _starter(client: Client, connection: Connection, queue: str) -> Starter:
    return Starter(client, {connection.slug: connection}, task_queue=queue, zoho_queue=f"{queue}-zoho")
