"""Deliveries as Stripe would make them, signed by Stripe's own SDK, not by the code under test."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from stripe import WebhookSignature

from clients.connections import Connection, StripeAccount, ZohoAccount

SLUG = "shop"
ACCOUNT = "acct_1Shop"
SECRET = "whsec_current"
OLD_SECRET = "whsec_rolling"
NOW = datetime(2026, 8, 2, 20, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples"


def connection(slug: str = SLUG, *, livemode: bool = False) -> Connection:
    """A connection with two active webhook secrets."""
    mode = "live" if livemode else "test"
    return Connection(
        slug=slug,
        stripe=StripeAccount(
            account_id=ACCOUNT,
            livemode=livemode,
            api_key=SecretStr(f"rk_{mode}_0123456789"),
            webhook_secrets=(SecretStr(SECRET), SecretStr(OLD_SECRET)),
        ),
        zoho=ZohoAccount(
            organization_id="10234695",
            client_id="1000.CLIENT",
            client_secret=SecretStr("client-secret"),
            refresh_token=SecretStr("refresh-token"),
        ),
    )


def sign(body: bytes, secret: str = SECRET, *, at: datetime = NOW) -> str:
    """The `Stripe-Signature` header of `body`: Stripe's SDK makes it wherever the body is text."""
    timestamp = int(at.timestamp())
    try:
        return str(WebhookSignature.generate_signature_header(body.decode(), secret, timestamp))
    except UnicodeDecodeError:
        signed = f"{timestamp}.".encode() + body
        return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def sample(name: str) -> dict[str, Any]:
    """The event in `samples/<name>.json`."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def snapshot(type: str, subject: dict[str, Any], *, event_id: str = "evt_1", **envelope: Any) -> dict[str, Any]:
    """A snapshot event about `subject`."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(NOW.timestamp()),
        "livemode": False,
        "type": type,
        "data": {"object": subject},
        **envelope,
    }


def thin(type: str, object_id: str, kind: str, *, event_id: str = "evt_1", **envelope: Any) -> dict[str, Any]:
    """A thin event about the object `object_id`."""
    return {
        "id": event_id,
        "object": "v2.core.event",
        "type": type,
        "created": "2026-08-02T20:00:00.000Z",
        "livemode": False,
        "context": None,
        "related_object": {"id": object_id, "type": kind, "url": f"/v1/x/{object_id}"},
        **envelope,
    }


def paid_intent(payment_id: str, *, event_id: str = "evt_1", **envelope: Any) -> bytes:
    """The body of a `payment_intent.succeeded` over 49.90 EUR."""
    intent = {"id": payment_id, "object": "payment_intent", "amount": 4990, "amount_received": 4990}
    event = snapshot("payment_intent.succeeded", {**intent, "currency": "eur"}, event_id=event_id, **envelope)
    return json.dumps(event).encode()
