"""Workflow rules: which change of which record is told to whom, and how it is written and signed.

Zoho has no API for them, an administrator makes them by hand: here `/_webhooks` does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox.zoho import adjustments, credits, returned, salesorders, shipments
from sandbox.zoho.routing import Answer, Call, Route
from sandbox.zoho.wire import Row, encode
from sandbox.zoho.world import Organization

EVENTS = ("created", "edited", "deleted")
BODIES = ("json", "form")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Module:
    """A kind of record that rules are made for: its id's field and its word in an envelope."""

    key: str
    word: str
    show: Callable[[Organization, Row], Row]


MODULES = {
    "salesreturns": Module("salesreturn_id", "salesreturn", returned.show),
    "creditnotes": Module("creditnote_id", "creditnote", credits.show),
    "salesorders": Module("salesorder_id", "salesorder", salesorders.show),
    "inventoryadjustments": Module(
        "inventory_adjustment_id", "inventory_adjustment", lambda org, row: adjustments.show(row)
    ),
    "shipmentorders": Module("shipment_id", "shipmentorder", lambda org, row: shipments.show(row)),
}


@dataclass(frozen=True)
class Rule:
    """One webhook: where it goes, for what, with which fixed headers and query, and in which form.

    `secret` (12 to 50 letters and digits) adds `X-Zoho-Webhook-Signature`; `envelope` puts the record under its word.
    """

    organization_id: str
    url: str
    modules: tuple[str, ...] = tuple(MODULES)
    events: tuple[str, ...] = EVENTS
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    secret: str = ""
    body: str = "json"
    envelope: bool = False

    def wants(self, organization_id: str, module: str, event: str) -> bool:
        """Whether this change is told by this rule."""
        return organization_id == self.organization_id and module in self.modules and event in self.events


def read_rule(given: Row) -> Rule:
    """The rule of a control request; ValueError says what is wrong with it."""
    known = [found.name for found in fields(Rule)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"a webhook has no {', '.join(unknown)}; it has {', '.join(known)}")
    if not str(given.get("url", "")).startswith(("http://", "https://")):
        raise ValueError("a webhook needs a url that begins with http")
    values: Row = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    rule = Rule(**values)
    if not isinstance(rule.headers, dict) or not isinstance(rule.query, dict):
        raise ValueError("a webhook's headers and query are objects of texts")
    for name, value, allowed in (("module", rule.modules, tuple(MODULES)), ("event", rule.events, EVENTS)):
        if not set(value) <= set(allowed):
            raise ValueError(f"a webhook's {name}s are of {', '.join(allowed)}")
    if rule.body not in BODIES:
        raise ValueError(f"a webhook's body is one of {', '.join(BODIES)}")
    if rule.secret and not re.fullmatch("[A-Za-z0-9]{12,50}", rule.secret):
        raise ValueError("a webhook's secret has 12 to 50 letters and digits")
    return rule


def as_row(rule: Rule) -> Row:
    """The rule as a document that can be kept."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(rule).items()}


@dataclass(frozen=True)
class Change:
    """What happened to one record, with the record as it then was (before its deletion)."""

    org: Organization
    module: str
    event: str
    record_id: str
    record: Row


Tell = Callable[[Change], None]


def run(route: Route, call: Call, tell: Tell) -> Answer:
    """Runs an operation and tells what it changed."""
    module, event, record_id = _subject(route, call)
    gone = _record(call.org, module, record_id) if event == "deleted" else None
    answer = route.handler(call)
    record_id = record_id or answer.location.rpartition("/")[2]
    record = gone or (_record(call.org, module, record_id) if event else None)
    if record is not None:
        tell(Change(call.org, module, event, record_id, record))
    return answer


def edited(org: Organization, module: str, record_id: str) -> Change | None:
    """A change that a person made in the app."""
    record = _record(org, module, record_id)
    return Change(org, module, "edited", record_id, record) if record else None


def _record(org: Organization, module: str, record_id: str) -> Row | None:
    row = org.tables[module].get(record_id) if module else None
    return MODULES[module].show(org, row) if row else None


def _subject(route: Route, call: Call) -> tuple[str, str, str]:
    """Module, event and id of what an operation changes; "" for the id of a new record, and for what no rule is for."""
    module, *rest = route.template.strip("/").split("/")
    if route.method == "GET":
        return "", "", ""
    if module == "salesreturnreceives":
        return "salesreturns", "edited", _return_of_receive(call)
    if module not in MODULES:
        return "", "", ""
    if not rest:
        return module, "created", ""
    event = "deleted" if route.method == "DELETE" and len(rest) == 1 else "edited"
    return module, event, call.params[rest[0][1:-1]]


def _return_of_receive(call: Call) -> str:
    receive = call.table("salesreturnreceives").get(call.params.get("salesreturnreceive_id", ""))
    return str(receive["salesreturn_id"]) if receive else call.query.get("salesreturn_id", "-")


def write(rule: Rule, change: Change) -> str:
    """The body of a webhook: the record's fields, numbers as text (reported of the default payload)."""
    shown: Row = json.loads(encode(change.record), parse_int=str, parse_float=str)
    if rule.envelope:
        shown = {MODULES[change.module].word: shown}
    if rule.body == "form":
        return urlencode([(name, _as_field(value)) for name, value in shown.items()])
    return json.dumps(shown)


def _as_field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def target(rule: Rule) -> tuple[str, Pairs]:
    """The address with the rule's own query put to it, and all pairs of that query."""
    parts = urlsplit(rule.url)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *rule.query.items()]
    return urlunsplit(parts._replace(query=urlencode(pairs))), pairs


def headers(rule: Rule, pairs: Pairs, body: str) -> dict[str, str]:
    """The headers of a webhook, signed where the rule has a secret."""
    form = rule.body == "form"
    found = {"Content-Type": "application/x-www-form-urlencoded" if form else "application/json", **rule.headers}
    if rule.secret:
        signed = [*pairs, *parse_qsl(body, keep_blank_values=True)] if form else pairs
        found["X-Zoho-Webhook-Signature"] = signature(rule.secret, signed, "" if form else body)
    return found


def signature(secret: str, pairs: Iterable[tuple[str, str]], raw: str) -> str:
    """HMAC-SHA256 in hex over the sorted keys and values without separators, then the raw JSON.

    Documented of Billing; most code takes this hash.
    """
    text = "".join(name + value for name, value in sorted(pairs)) + raw
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
