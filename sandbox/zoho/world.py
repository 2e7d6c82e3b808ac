"""The whole state of the program: the organisations, their records, the clock and the switches."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.persistence import Database
from sandbox.zoho.limits import PLANS, Limits
from sandbox.zoho.switches import Switches
from sandbox.zoho.tables import Keys, Table, field
from sandbox.zoho.wire import Row, day, stamp

FIRST_ID = 5_130_000_000_000_000_000
LAST_CALLS = 500


def _emails(row: Row) -> Iterable[str]:
    return {person["email"] for person in row["contact_persons"] if person.get("email")}


def _applied_to(row: Row) -> Iterable[str]:
    return {target["invoice_id"] for target in row["invoices"]}


def _credited(row: Row) -> Iterable[str]:
    return {row["invoice_id"], *(line["invoice_id"] for line in row["line_items"])} - {""}


INDEXES: dict[str, Mapping[str, Keys]] = {
    "contacts": {"contact_name": field("contact_name"), "email": _emails},
    "items": {"sku": field("sku"), "name": field("name")},
    "taxes": {"tax_name": field("tax_name")},
    "taxgroups": {},
    "currencies": {"currency_code": field("currency_code")},
    "salesorders": {
        **{name: field(name) for name in ("salesorder_number", "reference_number", "customer_id")},
        "line": lambda row: [line["line_item_id"] for line in row["line_items"]],
    },
    "invoices": {
        **{name: field(name) for name in ("invoice_number", "reference_number", "customer_id")},
        "order": lambda row: row["_orders"],
    },
    "customerpayments": {
        "reference_number": field("reference_number"),
        "customer_id": field("customer_id"),
        "invoice": _applied_to,
    },
    "creditnotes": {
        "creditnote_number": field("creditnote_number"),
        "reference_number": field("reference_number"),
        "invoice": _credited,
        "salesreturn": field("salesreturn_id"),
    },
    "creditnoterefunds": {"creditnote": field("creditnote_id")},
    "packages": {"order": field("salesorder_id")},
    "shipmentorders": {"shipment_number": field("shipment_number")},
    "salesreturns": {
        "salesreturn_number": field("salesreturn_number"),
        "order": field("salesorder_id"),
        "line": lambda row: [line["line_item_id"] for line in row["line_items"]],
    },
    "salesreturnreceives": {"salesreturn": field("salesreturn_id")},
    "inventoryadjustments": {"reference_number": field("reference_number")},
    "banktransactions": {"reference_number": field("reference_number")},
    "journals": {"reference_number": field("reference_number")},
}


class CallLog:
    """What an organisation was asked: counts by method and template, and the last calls with their time."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.last: deque[Row] = deque(maxlen=LAST_CALLS)

    def count(self, operation: str) -> None:
        """Counts one call as it arrives, whatever becomes of it and however late it is answered."""
        self.counts[operation] += 1

    def note(self, operation: str, path: str, at: str, status: int, code: str = "") -> None:
        """Keeps how a call was answered; a limit's refusal also under its code."""
        if code:
            self.refused[code] += 1
        self.last.append({"operation": operation, "path": path, "time": at, "status": status})


class Organization:
    """One Zoho organisation: settings, records, quotas and the calls it got."""

    def __init__(self, world: World, settings: Row) -> None:
        self.world, self.settings = world, settings
        self.id: str = settings["organization_id"]
        self.tables = {
            name: Table(world.database.collection(f"{self.id}/{name}"), indexes) for name, indexes in INDEXES.items()
        }
        self.calls = CallLog()
        self.limits = Limits(lambda: self.zone)
        self.apply_settings()

    def apply_settings(self) -> None:
        """Takes changed settings into use."""
        settings = self.settings
        self.zone = ZoneInfo(settings["time_zone"])
        daily, concurrent = PLANS[settings["plan"]]
        self.limits.minute = settings.get("minute_limit", 100)
        self.limits.day = settings.get("daily_limit", daily)
        self.limits.concurrent = settings.get("concurrency_limit", concurrent)
        self.refresh_switches()

    def refresh_switches(self) -> None:
        """Takes changed switches into use."""
        self.switches = self.world.switches.changed(self.settings["preferences"])

    def stamp(self) -> str:
        """Now, as a timestamp of the organisation."""
        return stamp(self.world.now(), self.zone)

    def today(self) -> str:
        """Today in the organisation's zone."""
        return day(self.world.now(), self.zone)

    def next_number(self, prefix: str) -> str:
        """The next automatic document number, as `INV-000001`."""
        counters = self.settings["counters"]
        counters[prefix] = counters.get(prefix, 0) + 1
        self.save()
        return f"{prefix}{counters[prefix]:06d}"

    def save(self) -> None:
        """Writes the settings through."""
        self.world.organization_rows.save(self.id)

    def currency(self, code: str) -> Row:
        """The currency of that code; KeyError where the organisation has none."""
        rows = self.tables["currencies"].find("currency_code", code)
        if not rows:
            raise KeyError(code)
        return rows[0]


class World:
    """Everything the program knows."""

    def __init__(self, database: Database, switches: Switches) -> None:
        self.database = database
        self._first_switches = switches
        self.load()

    def load(self) -> None:
        """Reads what the database holds."""
        self.program = self.database.collection("program")
        self.organization_rows = self.database.collection("organizations")
        self.token_rows = self.database.collection("tokens")
        self._next = int(self.program.get("last_id", FIRST_ID))
        self._offset = float(self.program.get("clock_offset", 0.0))
        self.switches = self._first_switches.changed(self.program.get("switches", {}))
        self.organizations = {key: Organization(self, settings) for key, settings in self.organization_rows.items()}
        self.token_calls: Counter[str] = Counter()

    def reset(self) -> None:
        """Forgets everything: organisations, records, tokens, switches and the clock's offset."""
        self.database.clear()
        self.load()

    def now(self) -> float:
        """Seconds since 1970 by the sandbox's clock."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Puts the clock forward."""
        self._offset += seconds
        self.program["clock_offset"] = self._offset

    def new_id(self) -> str:
        """A 19-digit id, unique in the program."""
        self._next += 1
        self.program["last_id"] = self._next
        return str(self._next)

    def set_switches(self, values: dict[str, Any]) -> None:
        """Moves switches; ValueError names what does not exist."""
        self.switches = self.switches.changed(values)
        self.program["switches"] = asdict(self.switches)
        for organization in self.organizations.values():
            organization.refresh_switches()

    def open_organization(self, settings: Row) -> Organization:
        """Adds an organisation or changes the settings of the one with its id."""
        key = settings["organization_id"]
        known = self.organizations.get(key)
        if known is None:
            self.organization_rows[key] = settings
            self.organizations[key] = Organization(self, settings)
            return self.organizations[key]
        known.settings.update(settings)
        known.save()
        known.apply_settings()
        return known
