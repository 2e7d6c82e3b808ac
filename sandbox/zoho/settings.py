"""What an administrator sets up: the organisation itself, taxes, tax groups and currencies."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import errors
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import number, required, text, unshown_times
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

APPS = ("books", "inventory")


def show_organization(org: Organization) -> Row:
    """An organisation as both apps see it."""
    settings, base = org.settings, org.currency(org.settings["currency_code"])
    return {
        "organization_id": org.id,
        "name": settings["name"],
        "contact_name": "",
        "email": "",
        "is_default_org": True,
        "is_org_active": True,
        "plan_type": 0,
        "plan_name": settings["plan"].upper(),
        "version": "standard",
        "time_zone": settings["time_zone"],
        "language_code": "en",
        "date_format": "yyyy-MM-dd",
        "fiscal_year_start_month": 0,
        "account_created_date": settings["created_date"],
        "currency_id": base["currency_id"],
        "currency_code": base["currency_code"],
        "currency_symbol": base["currency_symbol"],
        "currency_format": base["currency_format"],
        "price_precision": base["price_precision"],
        "sales_tax_type": settings["sales_tax_type"],
        "AppList": list(settings.get("apps", APPS)),
        "org_joined_app_list": list(settings.get("apps", APPS)),
    }


def _siblings(call: Call) -> list[Organization]:
    key = call.org.settings["refresh_token"]
    return [org for org in call.world.organizations.values() if org.settings["refresh_token"] == key]


def _organizations(call: Call) -> Answer:
    return Answer("success", {"organizations": [show_organization(org) for org in _siblings(call)]})


def _organization(call: Call) -> Answer:
    for org in _siblings(call):
        if org.id == call.params["organization_id"]:
            return Answer("success", {"organization": show_organization(org)})
    raise errors.missing("Organization")


def _public(call: Call, row: Row) -> Row:
    return public(row)


_TAXES = Listing("taxes", "taxes", "Taxes", _public)
_CURRENCIES = Listing("currencies", "currencies", "Currencies", _public)


def new_tax(org: Organization, body: Row) -> Row:
    """Adds a tax; `tax_percentage` in per cent."""
    tax_id = text(body, "tax_id") or org.world.new_id()
    return org.tables["taxes"].put(
        tax_id,
        {
            "tax_id": tax_id,
            "tax_name": text(body, "tax_name", most=100),
            "tax_percentage": number(body, "tax_percentage"),
            "tax_type": text(body, "tax_type", "tax"),
            "tax_specific_type": "",
            "tax_authority_id": "",
            "tax_authority_name": "",
            "is_value_added": True,
            "is_default_tax": False,
            "is_editable": True,
            "tax_account_id": "",
            **unshown_times(org),
        },
    )


def new_tax_group(org: Organization, body: Row) -> Row:
    """Adds a group of taxes that are levied together, named by id or name; it is also listed as a tax."""
    taxes = [_tax_named(org, name) for name in body["taxes"]]
    group_id = text(body, "tax_group_id") or org.world.new_id()
    name = text(body, "tax_group_name", most=100)
    percentage = sum((tax["tax_percentage"] for tax in taxes), Decimal(0))
    new_tax(
        org,
        {"tax_id": group_id, "tax_name": name, "tax_percentage": percentage, "tax_type": "tax_group"},
    )
    return org.tables["taxgroups"].put(
        group_id,
        {
            "tax_group_id": group_id,
            "tax_group_name": name,
            "tax_group_percentage": percentage,
            "taxes": [{name: tax[name] for name in _GROUPED} for tax in taxes],
            **unshown_times(org),
        },
    )


_GROUPED = ("tax_id", "tax_name", "tax_percentage", "tax_type", "tax_authority_id", "tax_authority_name")


def _tax_named(org: Organization, name: str) -> Row:
    found = org.tables["taxes"].get(name)
    if found is None:
        by_name = org.tables["taxes"].find("tax_name", name)
        if not by_name:
            raise errors.missing("Tax")
        found = by_name[0]
    return found


def new_currency(org: Organization, body: Row) -> Row:
    """Adds a currency; `exchange_rate` is the price of one unit in the organisation's own currency."""
    code = text(body, "currency_code").upper()
    currency_id = text(body, "currency_id") or org.world.new_id()
    symbol = text(body, "currency_symbol", code)
    precision = int(number(body, "price_precision", Decimal(2)))
    return org.tables["currencies"].put(
        currency_id,
        {
            "currency_id": currency_id,
            "currency_code": code,
            "currency_name": f"{code}- {text(body, 'currency_name', code)}",
            "currency_symbol": symbol,
            "price_precision": precision,
            "currency_format": "1,234,567" + ("." + "89000000"[:precision] if precision else ""),
            "is_base_currency": code == org.settings["currency_code"],
            "exchange_rate": number(body, "exchange_rate", Decimal(1)),
            "effective_date": org.today(),
            **unshown_times(org),
        },
    )


def _create_tax(call: Call) -> Answer:
    required(call.body, "tax_name", "tax_percentage")
    row = new_tax(call.org, {**call.body, "tax_id": ""})
    shown = [public(row)] if call.switches.spec_envelope_keys else public(row)
    return Answer("The tax has been added.", {"tax": shown}, f"/settings/taxes/{row['tax_id']}")


def _tax(call: Call) -> Answer:
    return Answer("success", {"tax": public(call.row("taxes", "tax_id", "Tax"))})


def _tax_group(call: Call) -> Answer:
    return Answer("success", {"tax_group": public(call.row("taxgroups", "tax_group_id", "Tax group"))})


def _create_currency(call: Call) -> Answer:
    required(call.body, "currency_code", "currency_symbol")
    row = new_currency(call.org, {**call.body, "currency_id": ""})
    shown = [public(row)] if call.switches.spec_envelope_keys else public(row)
    return Answer("The currency has been added.", {"currency": shown}, f"/settings/currencies/{row['currency_id']}")


def _currency(call: Call) -> Answer:
    return Answer("success", {"currency": public(call.row("currencies", "currency_id", "Currency"))})


ROUTES = [
    *crud("/organizations", "organization_id", "settings", index=_organizations, read=_organization),
    *crud("/settings/taxes", "tax_id", "settings", create=_create_tax, index=_TAXES.answer, read=_tax),
    Route("GET", "/settings/taxgroups/{tax_group_id}", "settings.READ", _tax_group),
    *crud(
        "/settings/currencies",
        "currency_id",
        "settings",
        create=_create_currency,
        index=_CURRENCIES.answer,
        read=_currency,
    ),
]
