"""What an organisation begins with, given as plain JSON; seeding the same twice changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.zoho.chart import new_account
from sandbox.zoho.items import new_item
from sandbox.zoho.limits import PLANS
from sandbox.zoho.settings import new_currency, new_tax, new_tax_group
from sandbox.zoho.switches import Switches
from sandbox.zoho.tokens import FULL_ACCESS
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization, World

_DEFAULTS: Row = {
    "client_id": "client",
    "client_secret": "secret",
    "refresh_token": "refresh",
    "data_center": "us",
    "scopes": [*FULL_ACCESS.values()],
    "apps": ["books", "inventory"],
    "plan": "premium",
    "time_zone": "America/New_York",
    "currency_code": "USD",
    "sales_tax_type": "",
    "preferences": {},
}
# Where payments without an account go comes first.
FIRST_ACCOUNTS = ({"account_name": "Undeposited Funds", "account_type": "cash"},)
_LIMITS = ("minute_limit", "daily_limit", "concurrency_limit")
_RECORDS = ("items", "taxes", "taxgroups", "currencies", "custom_fields", "accounts")
# Decimals of a base currency that has not two.
_BASE_PRECISION = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}


def seed(world: World, body: Row) -> list[Organization]:
    """Adds or completes the organisations of `{"organizations": [...]}`; ValueError says what is wrong."""
    return [_organization(world, given) for given in body.get("organizations", [])]


def _organization(world: World, given: Row) -> Organization:
    unknown = set(given) - set(_DEFAULTS) - set(_LIMITS) - set(_RECORDS) - {"organization_id", "name"}
    if unknown:
        raise ValueError(f"an organisation has no {', '.join(sorted(unknown))}")
    if not given.get("organization_id"):
        raise ValueError("an organisation needs its organization_id")
    _check(given)
    org = world.organizations.get(given["organization_id"]) or _found(world, given)
    settings = {key: value for key, value in given.items() if key not in _RECORDS}
    for limit in _LIMITS:
        if limit in settings:
            settings[limit] = int(settings[limit])
    world.open_organization({**org.settings, **settings})
    _fill(org, given)
    return org


def _check(given: Row) -> None:
    Switches().changed(given.get("preferences", {}))
    if given.get("plan", "free") not in PLANS:
        raise ValueError(f"a plan is one of {', '.join(PLANS)}")
    try:
        ZoneInfo(given.get("time_zone", "UTC"))
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"there is no time zone {given['time_zone']}") from error


def _found(world: World, given: Row) -> Organization:
    settings = {
        **_DEFAULTS,
        **{key: value for key, value in given.items() if key not in _RECORDS},
        "name": given.get("name", f"Organization {given['organization_id']}"),
        "location_id": world.new_id(),
        "created_date": "2026-01-01",
        "counters": {},
        "custom_fields": [],
        "accounts": [],
    }
    return world.open_organization(settings)


def _fill(org: Organization, given: Row) -> None:
    base: Row = {"currency_code": org.settings["currency_code"]}
    base["price_precision"] = Decimal(_BASE_PRECISION.get(base["currency_code"], 2))
    for currency in [*given.get("currencies", []), base]:
        if not org.tables["currencies"].find("currency_code", currency["currency_code"]):
            new_currency(org, currency)
    for tax in given.get("taxes", []):
        if not org.tables["taxes"].find("tax_name", tax["tax_name"]):
            new_tax(org, tax)
    for group in given.get("taxgroups", []):
        if not org.tables["taxes"].find("tax_name", group["tax_group_name"]):
            new_tax_group(org, group)
    for item in given.get("items", []):
        if not item.get("sku") or not org.tables["items"].find("sku", item["sku"]):
            _item(org, item)
    _named(org, "custom_fields", "api_name", given, _custom_field)
    _named(org, "accounts", "account_name", {"accounts": [*FIRST_ACCOUNTS, *given.get("accounts", [])]}, new_account)
    org.save()


def _item(org: Organization, given: Row) -> None:
    tax = org.tables["taxes"].find("tax_name", given["tax"]) if given.get("tax") else []
    row = new_item(
        org,
        {
            "name": given.get("name") or given.get("sku"),
            "initial_stock": given.get("stock", Decimal(0)),
            **{key: value for key, value in given.items() if key not in ("stock", "tax")},
            "tax_id": tax[0]["tax_id"] if tax else given.get("tax_id", ""),
        },
    )
    row.update({"custom_fields": [], "custom_field_hash": {}})
    org.tables["items"].put(row["item_id"], row)


def _named(org: Organization, kind: str, name: str, given: Row, make: Any) -> None:
    known = {row[name] for row in org.settings[kind]}
    for row in given.get(kind, []):
        if row[name] not in known:
            org.settings[kind].append(make(org, row))


def _custom_field(org: Organization, given: Row) -> Row:
    return {
        "customfield_id": given.get("customfield_id") or org.world.new_id(),
        "api_name": given["api_name"],
        "label": given.get("label") or given["api_name"].removeprefix("cf_").replace("_", " ").title(),
        "entity": given.get("entity", "salesorder"),
        "data_type": given.get("data_type", "string"),
        "index": len(org.settings["custom_fields"]) + 1,
    }
