"""The whole state of the program and the few things everything in it does: ids, times, events."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.persistence import Database
from sandbox.stripe.errors import ApiError, missing_resource
from sandbox.stripe.rendering import PLAIN, render
from sandbox.stripe.schedule import Schedule
from sandbox.stripe.switches import Switches
from sandbox.stripe.tables import Doc, Table, Tables

API_VERSION = "2026-10-28.endive"
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Cause:
    """The API request that made something happen; empty for the sandbox's own doing."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class World:
    """Accounts, objects, clock and switches of one running Stripe."""

    database: Database
    switches: Switches = field(default_factory=Switches)
    schedule: Schedule = field(default_factory=Schedule)
    cause: Cause = Cause()
    on_event: Callable[[Doc], None] = lambda event: None

    def __post_init__(self) -> None:
        self.accounts = self.database.collection("accounts")
        self.answers = self.database.collection("idempotent_answers")
        self.tables = Tables(self.database)
        self.random = random.Random()
        self._settings = self.database.collection("settings")
        self.switches.apply(self._settings.get("switches", {}))
        self.fate = random.Random(self.switches.webhook_seed or None)  # of webhooks
        self.schedule.advance(self._settings.get("clock", 0.0))

    def table(self, name: str) -> Table:
        """The objects of one kind."""
        return self.tables[name]

    def set_switches(self, changes: dict[str, Any]) -> None:
        """Sets the named switches, also for the next start; ValueError where they cannot be."""
        self.switches.apply(changes)
        self._settings["switches"] = asdict(self.switches)
        if "webhook_seed" in changes:
            self.fate.seed(self.switches.webhook_seed or None)

    def advance(self, seconds: float) -> None:
        """Puts the clock forward, also for the next start."""
        self._settings["clock"] = self._settings.get("clock", 0.0) + seconds
        self.schedule.advance(seconds)

    def new_id(self, prefix: str, length: int = 23) -> str:
        """An id nobody has."""
        return prefix + "".join(self.random.choices(_ALPHABET, k=length))

    def need(self, name: str, doc_id: str, account: str, param: str | None = None) -> Doc:
        """The object of that id; the refusal Stripe gives, where it is not one of the account's."""
        doc = self.table(name).get(doc_id, account)
        if doc is None:
            raise missing_resource(self.table(name).word, doc_id, param or "id", 400 if param else 404)
        return doc

    def account(self, account: str) -> Doc:
        """The account's own settings."""
        return dict(self.accounts[account])

    def base(self, kind: str, prefix: str, account: str, length: int = 23) -> Doc:
        """The fields every new object of an account begins with."""
        return {
            "id": self.new_id(prefix, length),
            "object": kind,
            "created": self.schedule.second(),
            "livemode": self.accounts[account]["livemode"],
            "_account": account,
        }

    def show(self, doc: Doc) -> Doc:
        """The object as Stripe shows it when nothing is expanded."""
        shown: Doc = render(doc, self.tables, PLAIN)
        return shown

    def emit(self, kind: str, doc: Doc, previous: Doc | None = None) -> Doc:
        """Makes the event that tells what happened to `doc`, and has it delivered."""
        data: Doc = {"object": self.show(doc)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self._event(kind, doc["_account"], data)
        if self.fate.random() < self.switches.webhook_twin:
            self._event(kind, doc["_account"], data)
        return event

    def _event(self, kind: str, account: str, data: Doc) -> Doc:
        request = {"id": self.cause.request_id, "idempotency_key": self.cause.idempotency_key}
        event = {
            **self.base("event", "evt_3", account),
            "api_version": API_VERSION,
            "data": data,
            "pending_webhooks": 0,
            "request": request,
            "type": kind,
            "_thin_id": self.new_id("evt_test_", 27),
            "_time": self.schedule.iso(),
        }
        self.table("events").save(event)
        self.on_event(event)
        return event


def merged(metadata: dict[str, str] | None, changes: dict[str, str] | None) -> dict[str, str]:
    """Metadata after an update: named keys are set, empty ones removed, nothing given clears all."""
    if changes is None:
        return {}
    result = {**(metadata or {}), **changes}
    result = {key: value for key, value in result.items() if value != ""}
    if len(result) > 50:
        raise ApiError("Metadata has 50 keys at most", param="metadata")
    return result


def changed(doc: Doc, changes: dict[str, Any]) -> Doc:
    """Applies `changes` to `doc`; what the changed fields held before, as events tell it."""
    before = {name: doc.get(name) for name, value in changes.items() if doc.get(name) != value}
    doc.update(changes)
    return before
