"""Stripe: the right account and mode, the rights that a payment needs, the clock, the webhook endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from cli.checkups.finding import Finding, fail, ok, warn
from clients.connections import Connection
from clients.stripe.gateway import STRIPE_VERSION, StripeGateway
from ingress.subjects import EVENT_TYPES

STRIPE = "https://api.stripe.com"
MOST_SKEW = 30.0  # seconds; a signature is good for 300 back and 60 ahead
NEEDED_EVENTS = sorted(name for name in EVENT_TYPES if not name.startswith("v1."))

NO_PAYMENT = "pi_throughlinedoctor"  # nobody's: a write to it is refused whatever the key may do
# What a payment's run reads: path -> the permission of a restricted key, in the Dashboard's words.
RIGHTS = {
    "/v1/payment_intents": "PaymentIntents: read",
    "/v1/charges": "Charges and Refunds: read",
    "/v1/refunds": "Charges and Refunds: read",
    "/v1/disputes": "Disputes: read",
    "/v1/checkout/sessions": "Checkout Sessions: read",
    "/v1/invoices": "Invoices: read",
    "/v1/customers": "Customers: read",
    "/v1/balance_transactions": "Balance: read",
    "/v1/payouts": "Payouts: read",
    "/v1/products": "Products: read",
    "/v1/events": "Events: read",
}


_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


async def look(connection: Connection) -> AsyncIterator[Finding]:
    """ClientError where Stripe cannot be reached or refuses the key."""
    gateway = StripeGateway(connection.stripe, connection.mapping)
    try:
        account = await gateway.get_account()
    finally:
        await gateway.close()
    what = f"{connection.slug}: Stripe account"
    if account.id == connection.stripe.account_id:
        yield ok(what, f"{account.id}, {account.country}, {account.default_currency}")
    else:
        cure = f"set connections.{connection.slug}.stripe.account_id to {account.id}, or use the other account's key"
        yield fail(what, f"the key belongs to {account.id}, not {connection.stripe.account_id}", cure)
    key = connection.stripe.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}", "Stripe-Version": STRIPE_VERSION}
    base = connection.stripe.api_base or STRIPE
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=15.0) as http:
        for check in (_clock, _rights, _webhooks):
            try:
                async for finding in check(http, connection):
                    yield finding
            except httpx.TransportError as error:
                yield fail(f"{connection.slug}: Stripe", f"{error!r}", "check the network and the proxy")


async def _clock(http: httpx.AsyncClient, connection: Connection) -> AsyncIterator[Finding]:
    answer = await http.get("/v1/account")
    said = answer.headers.get("date", "")
    if not said:
        return
    skew = (datetime.now(UTC) - parsedate_to_datetime(said)).total_seconds()
    what = f"{connection.slug}: clock"
    if abs(skew) > MOST_SKEW:
        ahead = "ahead of" if skew > 0 else "behind"
        cure = "let this machine's clock be set by NTP: webhooks are refused by their age"
        yield fail(what, f"{abs(skew):.0f} s {ahead} Stripe's", cure)
    else:
        yield ok(what, "agrees with Stripe's")


async def _rights(http: httpx.AsyncClient, connection: Connection) -> AsyncIterator[Finding]:
    lacking = []
    for path, right in RIGHTS.items():
        answer = await http.get(path, params={"limit": 1})
        if answer.status_code in _REFUSED:
            lacking.append(right)
    # A key without the right is refused before the payment is looked for; with it, the payment is missing.
    answer = await http.post(f"/v1/payment_intents/{NO_PAYMENT}", data={"metadata[throughline]": "doctor"})
    if answer.status_code in _REFUSED:
        lacking.append("PaymentIntents: write")
    what = f"{connection.slug}: Stripe key"
    if lacking:
        yield fail(what, f"lacks {', '.join(lacking)}", "give the restricted key these rights in Stripe's Dashboard")
    else:
        yield ok(what, "may read what a payment needs, and was not forbidden to write metadata")


async def _webhooks(http: httpx.AsyncClient, connection: Connection) -> AsyncIterator[Finding]:
    """None is needed where sweeps bring everything (cli/checkups/sweeps.py)."""
    if connection.stripe.pull:
        return
    answer = await http.get("/v1/webhook_endpoints", params={"limit": 100})
    what = f"{connection.slug}: webhook endpoint"
    if not answer.is_success:
        yield warn(
            what, f"cannot be seen ({answer.status_code})", "let the key read webhook endpoints, or look yourself"
        )
        return
    path = f"/webhooks/stripe/{connection.slug}"
    ours = [row for row in answer.json()["data"] if row["url"].endswith(path) and row["status"] == "enabled"]
    if not ours:
        cure = f"add one in Stripe's Dashboard at https://<your host>{path} with API version {STRIPE_VERSION}"
        yield warn(what, f"none is enabled that ends in {path}", cure)
        return
    asked = {event for row in ours for event in row["enabled_events"]}
    missing = [event for event in NEEDED_EVENTS if event not in asked and "*" not in asked]
    if missing:
        yield warn(what, f"does not send {', '.join(missing)}", "add these events to the endpoint")
    else:
        yield ok(what, ours[0]["url"])
