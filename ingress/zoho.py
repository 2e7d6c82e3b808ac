"""`POST /webhooks/zoho/{connection}`: check the secret, name the run, start it, answer. The body is a hint only."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import web

from clients.connections import Connection
from clients.errors import TryLater
from domain.returns import ReturnEvent
from ingress.deliveries import Refusal, read_body, refused
from ingress.door import Started
from ingress.limits import Limits
from ingress.metrics import Metrics

log = logging.getLogger(__name__)
SECRET_HEADER = "X-Throughline-Secret"
SECRET_QUERY = "secret"
SIGNATURE_HEADER = "X-Zoho-Webhook-Signature"
_ID = re.compile(r"[0-9]{1,25}")
_ADJUSTMENT = "inventory_adjustment"
# What a record is, by a field that only records of this kind have, and the field with the id of what it is about.
_KINDS = (
    ("creditnote_id", "creditnote", "salesreturn_id"),
    ("salesreturn_id", "salesreturn", "salesreturn_id"),
    ("inventory_adjustment_id", _ADJUSTMENT, "inventory_adjustment_id"),
)


class ReturnStarts(Protocol):
    """The part of Starter that this webhook needs."""

    async def return_event(self, connection: str, return_id: str, event: ReturnEvent) -> Started: ...

    async def adjustment_event(self, connection: str, adjustment_id: str, event: ReturnEvent) -> Started: ...


class ZohoWebhook:
    """Answers Zoho's workflow rules. 2xx means: Temporal has it, or it is none of our business.

    400 unreadable; 401 without a right secret or with a wrong signature; 404 no such connection, or one that takes no
    webhooks of Zoho's; 413, 415, 408 as with Stripe's; 503 not accepted now: whether Zoho says it again is not
    documented, and the lists of returns and adjustments are read from time to time.
    """

    def __init__(
        self, connections: Mapping[str, Connection], starter: ReturnStarts, *, metrics: Metrics, limits: Limits
    ) -> None:
        self._connections = connections
        self._starter = starter
        self._metrics = metrics
        self._limits = limits

    async def handle(self, request: web.Request) -> web.Response:
        """The answer to one delivery; every one is counted with what became of it."""
        slug, kind = request.match_info["connection"], "zoho"
        with self._metrics.answering():
            try:
                kind, zoho_id = about(await self._read(request, slug))
                outcome = await self._pass_on(slug, kind, zoho_id)
            except Refusal as refusal:
                return refused(request, self._connections, kind, refusal, self._metrics)
        self._metrics.count(slug, kind, outcome)
        return web.json_response({"outcome": outcome})

    async def _read(self, request: web.Request, slug: str) -> bytes:
        """The body, once it is certain that the sender knows the connection's secret."""
        connection = self._connections.get(slug)
        secrets = [one.get_secret_value() for one in connection.zoho.webhook_secrets] if connection else []
        if not any(secrets):
            raise Refusal(404, "unknown-connection" if connection is None else "closed")
        given = request.headers.get(SECRET_HEADER) or request.query.get(SECRET_QUERY, "")
        if not any([hmac.compare_digest(secret.encode(), given.encode()) for secret in secrets]):
            raise Refusal(401, "forged")
        raw = await read_body(request, self._limits)
        signature = request.headers.get(SIGNATURE_HEADER)
        if signature is not None and not _signed(request, raw, signature, secrets):
            raise Refusal(401, "forged")
        return raw

    async def _pass_on(self, slug: str, kind: str, zoho_id: str) -> str:
        if not zoho_id:
            return "ignored-type"
        policy, adjusts = self._connections[slug].policy.returns, kind == _ADJUSTMENT
        if not (policy.adjustments if adjusts else policy.on):
            return "ignored-adjustments-off" if adjusts else "ignored-returns-off"
        tell = self._starter.adjustment_event if adjusts else self._starter.return_event
        try:
            return (await tell(slug, zoho_id, ReturnEvent(source="webhook"))).value
        except TryLater as error:
            log.warning("%s %s %s: %s", slug, kind, zoho_id, error)
            raise Refusal(503, "not-accepted") from error


def about(raw: bytes) -> tuple[str, str]:
    """The kind of record that the body speaks of, and the return or the adjustment that it is about, "" for none.

    The shape of the body is whatever an administrator chose: a record, a record under its name, as JSON or as a form
    with the JSON in a field.
    """
    for record in _records(raw):
        for field, kind, subject in _KINDS:
            if record.get(field):
                return kind, _id(record.get(subject))
    return "other", ""


def _records(raw: bytes) -> list[Mapping[str, object]]:
    """The record itself, or what stands up to two levels below. Refusal 400 for anything else."""
    try:
        text = raw.decode()
        found = json.loads(text) if text.lstrip().startswith(("{", "[")) else _form(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "malformed") from error
    if not isinstance(found, dict) or not found:
        raise Refusal(400, "malformed")
    below = [value for value in found.values() if isinstance(value, dict)]
    return [found, *below, *(value for one in below for value in one.values() if isinstance(value, dict))]


def _form(text: str) -> dict[str, object]:
    fields: dict[str, object] = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
    for name, value in fields.items():
        if isinstance(value, str) and value.lstrip().startswith("{"):
            fields[name] = json.loads(value)
    return fields


def _id(value: object) -> str:
    """An id of Zoho's, which some bodies write as a number; "" where there is none. Refusal 400 for anything else."""
    if value in (None, ""):
        return ""
    if not isinstance(value, (str, int)) or not _ID.fullmatch(str(value)):
        raise Refusal(400, "malformed")
    return str(value)


def _signed(request: web.Request, raw: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Zoho Billing's scheme (facts of its help pages): HMAC-SHA256 in hex over the sorted keys and values of query and
    form, nothing between them, then the raw JSON. For Inventory it is not documented.
    """
    pairs = list(request.query.items())
    is_form = request.content_type == "application/x-www-form-urlencoded"
    pairs += parse_qsl(raw.decode(errors="replace"), keep_blank_values=True) if is_form else []
    signed = "".join(key + value for key, value in sorted(pairs)).encode() + (b"" if is_form else raw)
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return any([hmac.compare_digest(one.encode(), signature.strip().lower().encode()) for one in made])
