"""`throughline trigger`: an event, from Stripe or from a file, delivered to the ingress as Stripe would."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path

import httpx

from cli.exits import CannotStart, Exit, Stop
from cli.output import say
from cli.reach import one_connection
from clients.connections import Connection
from clients.settings import load_settings

STRIPE = "https://api.stripe.com"
TIMEOUT = 15.0  # seconds for Stripe's answer, and for the ingress's


def sign(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` of `body`, sent at Unix second `at` (docs.stripe.com/webhooks/signature)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def run_trigger(event: str, *, connection: str, url: str) -> Exit:
    """Delivers it once and tells the ingress's answer; FAILED where that is not a 2xx."""
    settings = load_settings()
    pair = one_connection(settings, connection)
    if pair.stripe.pull:
        raise Stop(f"{pair.slug} has no webhook (pull = true). Type: throughline replay {event}")
    base = url or f"http://{settings.ingress_host}:{settings.ingress_port}"
    target = f"{base.rstrip('/')}/webhooks/stripe/{pair.slug}"
    async with httpx.AsyncClient(timeout=TIMEOUT) as http:
        body = await _fetch(http, pair, event) if event.startswith("evt_") else _read(Path(event))
        answer = await _deliver(http, pair, target, body)
    say(f"{target} answered {answer.status_code}: {answer.text.strip()}")
    return Exit.OK if answer.is_success else Exit.FAILED


async def _fetch(http: httpx.AsyncClient, pair: Connection, event_id: str) -> bytes:
    """The event as Stripe keeps it (30 days), byte for byte."""
    base = pair.stripe.api_base or STRIPE
    key = pair.stripe.api_key.get_secret_value()
    try:
        answer = await http.get(f"{base}/v1/events/{event_id}", headers={"Authorization": f"Bearer {key}"})
    except httpx.TransportError as error:
        raise CannotStart(f"Stripe at {base} cannot be reached: {error}.") from error
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise Stop(f"Stripe does not know {event_id} in this account; it keeps events for 30 days.")
    if not answer.is_success:
        raise Stop(f"Stripe refused to show {event_id}: {answer.status_code}. Has the key the right to read events?")
    return answer.content


def _read(path: Path) -> bytes:
    """The file's bytes, once it is clear that they are a JSON object."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Stop(
            f"{path} is neither an event id (evt_…) nor a file that can be read: {error.strerror}.",
            Exit.USAGE,
        ) from error
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise Stop(f"{path} is not valid JSON: {error}.", Exit.USAGE) from error
    if not isinstance(parsed, dict):
        raise Stop(f"{path} holds no event: it has to be one JSON object.", Exit.USAGE)
    return body


async def _deliver(http: httpx.AsyncClient, pair: Connection, target: str, body: bytes) -> httpx.Response:
    secret = pair.stripe.webhook_secrets[0].get_secret_value()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, secret, int(time.time())),
    }
    try:
        return await http.post(target, content=body, headers=headers)
    except httpx.TransportError as error:
        raise CannotStart(
            f"The ingress at {target} cannot be reached ({error}). Start it with: throughline up"
        ) from error
