"""The shop that demo and sandbox sell from: one Stripe account, one Zoho organisation, and what is on the shelf."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import httpx

from cli.exits import CannotStart
from clients.connections import Connection, load_connections
from clients.errors import SettingsError

SLUG = "demo"
ACCOUNT = {
    "id": "acct_1DemoShop",
    "key": "sk_test_demo",
    "name": "Lantern & Loom",
    "country": "DE",
    "default_currency": "eur",
}
ORGANIZATION_ID = "20260001"
CLEARING_ACCOUNT_ID = "5120000000000000001"
MINUTE = 100  # calls a minute that Zoho takes from one organisation, and the sandbox too

ITEMS = (
    {"sku": "LAMP-01", "name": "Desk lamp", "rate": 49, "stock": 120},
    {"sku": "BULB-E27", "name": "Light bulb E27", "rate": 4.5, "stock": 900},
    {"sku": "CORD-3M", "name": "Textile cord, 3 m", "rate": 12, "stock": 300},
    {"sku": "SHADE-L", "name": "Linen shade, large", "rate": 35, "stock": 80},
    {"sku": "RUG-160", "name": "Wool rug 160 cm", "rate": 220, "stock": 25},
    {"sku": "THROW-W", "name": "Woven throw", "rate": 60, "stock": 60},
    {"sku": "SHIPPING", "name": "Shipping", "rate": 0, "product_type": "service"},
)
ORGANIZATION: dict[str, Any] = {
    "organization_id": ORGANIZATION_ID,
    "name": "Lantern & Loom GmbH",
    "time_zone": "Europe/Berlin",
    "currency_code": "EUR",
    "client_id": "1000.DEMO",
    "client_secret": "demo-client-secret",
    "refresh_token": "1000.demo-refresh-token",
    "items": list(ITEMS),
    "taxes": [
        {"tax_name": "VAT 19", "tax_percentage": 19},
        {"tax_name": "VAT 7", "tax_percentage": 7},
    ],
    "currencies": [
        {"currency_code": "USD", "currency_name": "US Dollar", "exchange_rate": 0.92},
        {"currency_code": "JPY", "currency_name": "Yen", "price_precision": 0, "exchange_rate": 0.0061},
        {"currency_code": "KWD", "currency_name": "Dinar", "price_precision": 3, "exchange_rate": 3.01},
    ],
    "custom_fields": [
        *({"api_name": f"cf_stripe_{what}_id"} for what in ("charge", "payment")),
        *(
            {"api_name": f"cf_stripe_refund_{what}", "entity": entity}
            for what in ("id", "status")
            for entity in ("salesreturn", "creditnote")
        ),
    ],
    "accounts": [
        {"account_id": CLEARING_ACCOUNT_ID, "account_name": "Stripe Clearing", "account_type": "payment_clearing"},
        {"account_name": "Bank", "account_type": "bank"},
        *({"account_name": f"Stripe {what}"} for what in ("Disputes", "Reserves", "Adjustments", "Unmatched")),
        *(
            {"account_name": name, "account_type": "expense"}
            for name in ("Stripe Fees", "Stripe Dispute Fees", "Exchange Gain or Loss")
        ),
        *({"account_name": name} for name in ("Input Tax on Stripe Fees", "Tax Withheld by Stripe")),
    ],
}

POLICY = "fee_patience = 10  # seconds; a real shop waits ten minutes"
RETURNS = 'returns = {trigger = "received"}  # money goes back when the goods are here'
CONNECTION = """\
# The sandbox's shop. A real connection looks the same, without the two api_base lines and accounts_base.
[connections.{slug}]

[connections.{slug}.stripe]
account_id = "{account}"
livemode = false
api_key = "{key}"
webhook_secrets = ["{secret}"]
api_base = "{stripe_url}"

[connections.{slug}.zoho]
data_center = "us"
organization_id = "{organization}"
client_id = "{client_id}"
client_secret = "{client_secret}"
refresh_token = "{refresh_token}"
api_base = "{zoho_url}"
accounts_base = "{zoho_url}"
calls_per_minute = {per_minute}

[connections.{slug}.policy]
{policy}

[connections.{slug}.mapping]
shipping_sku = "SHIPPING"
deposit_account_id = "{deposit}"
"""


async def open_shop(
    stripe_url: str, zoho_url: str, *, webhook_url: str, connections: Path, per_minute: int = MINUTE
) -> None:
    """Seeds both sandboxes and writes the connection file; what is there from an earlier time stays.

    CannotStart where a sandbox refuses.
    """
    async with httpx.AsyncClient(timeout=10.0) as http:
        await _post(http, f"{zoho_url}/_seed", {"organizations": [ORGANIZATION]})
        await _post(http, f"{stripe_url}/_seed", {"accounts": [ACCOUNT]})
        known = _known_shop(connections)
        signed = known.stripe.webhook_secrets if known and not known.stripe.pull else ()
        secret = signed[0].get_secret_value() if signed else f"whsec_{secrets.token_hex(16)}"
        await _point_webhooks(http, stripe_url, webhook_url, secret)
        told = known.zoho.webhook_secrets if known else ()
        zoho_secret = told[0].get_secret_value() if told else secrets.token_hex(16)
        await _point_zoho(http, zoho_url, webhook_url.replace("/webhooks/stripe/", "/webhooks/zoho/"), zoho_secret)
    text = CONNECTION.format(
        slug=SLUG,
        account=ACCOUNT["id"],
        key=ACCOUNT["key"],
        secret=secret,
        stripe_url=stripe_url,
        zoho_url=zoho_url,
        organization=ORGANIZATION_ID,
        client_id=ORGANIZATION["client_id"],
        client_secret=ORGANIZATION["client_secret"],
        refresh_token=ORGANIZATION["refresh_token"],
        deposit=CLEARING_ACCOUNT_ID,
        per_minute=per_minute,
        policy=f"{POLICY}\n{RETURNS}",
    )
    part = f"[connections.{SLUG}.zoho]\n"
    _write(connections, text.replace(part, f'{part}webhook_secrets = ["{zoho_secret}"]\n'))


def _write(connections: Path, text: str) -> None:
    """The file as a whole or not at all, for its owner only."""
    connections.parent.mkdir(parents=True, exist_ok=True)
    fresh = connections.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o600)
    fresh.rename(connections)


def _known_shop(connections: Path) -> Connection | None:
    """The connection of an earlier time, whose secrets hold; None where there was none."""
    try:
        return load_connections(connections).get(SLUG)
    except SettingsError:
        return None


async def _point_webhooks(http: httpx.AsyncClient, stripe_url: str, webhook_url: str, secret: str) -> None:
    """One endpoint at `webhook_url` that signs with `secret`; one that points elsewhere is taken away."""
    ledger = (await http.get(f"{stripe_url}/_ledger")).json()
    for endpoint in ledger["webhook_endpoints"]:
        if endpoint["url"] == webhook_url:
            return
        key = {"Authorization": f"Bearer {ACCOUNT['key']}"}
        await http.delete(f"{stripe_url}/v1/webhook_endpoints/{endpoint['id']}", headers=key)
    body = {"account": ACCOUNT["id"], "url": webhook_url, "secret": secret}
    await _post(http, f"{stripe_url}/_endpoints", body)


async def _point_zoho(http: httpx.AsyncClient, zoho_url: str, url: str, secret: str) -> None:
    """One workflow rule that tells returns and credit notes to `url`; those of an earlier time are taken away."""
    await http.delete(f"{zoho_url}/_webhooks")
    rule = {"url": url, "modules": ["salesreturns", "creditnotes"], "headers": {"X-Throughline-Secret": secret}}
    await _post(http, f"{zoho_url}/_webhooks", {"organization_id": ORGANIZATION_ID, "secret": secret, **rule})


async def _post(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> None:
    answer = await http.post(url, json=body)
    if not answer.is_success:
        raise CannotStart(f"The sandbox refused its seed at {url}: {answer.text}")
