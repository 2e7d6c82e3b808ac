"""Zoho: the token, the organisation, every right that an order needs, and what the mapping names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.checkups.finding import Finding, fail, ok, warn
from clients.connections import Connection
from clients.errors import NotAllowed
from clients.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.models import Organization
from clients.zoho.transport import open_http

NOBODY = "nobody@throughline.invalid"
NOTHING = "throughline-doctor"
OURS = ("pi_", "ch_", "py_")  # the reference number of an order that carries a payment is the payment's id


async def look(connection: Connection, store: Store) -> AsyncIterator[Finding]:
    """About ten calls of the organisation's quota. ClientError where Zoho refuses the token or is away."""
    async with open_http() as http:
        zoho = ZohoClient.of(
            connection.zoho,
            store.tokens,
            http,
            connection=connection.slug,
            now=lambda: datetime.now(UTC),
            budgets=store.budgets,
        )
        organization = await zoho.get_organization()
        yield ok(f"{connection.slug}: Zoho token", f"accepted for organisation {organization.organization_id}")
        yield _organization(connection, organization)
        async for finding in _rights(connection, zoho):
            yield finding
        if connection.mapping.shipping_sku:
            yield await _shipping_item(connection, zoho)
        if _field_names(connection):
            yield await _custom_fields(connection, zoho)


def _organization(connection: Connection, organization: Organization) -> Finding:
    what = f"{connection.slug}: Zoho organisation"
    seen = f"{organization.name}, {organization.currency_code}, {organization.time_zone}"
    try:
        ZoneInfo(organization.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return fail(what, seen, "choose the organisation's time zone again in Zoho: this one is unknown here")
    return ok(what, seen)


async def _rights(connection: Connection, zoho: ZohoClient) -> AsyncIterator[Finding]:
    asked: dict[str, Callable[[], Awaitable[list[Any]]]] = {
        "settings": zoho.list_taxes,
        "currencies (settings)": zoho.list_currencies,
        "items": lambda: zoho.find_items(sku=NOTHING),
        "contacts": lambda: zoho.find_contacts(email=NOBODY),
        "salesorders": lambda: zoho.find_sales_orders(salesorder_number=NOTHING),
        "invoices": lambda: zoho.find_invoices(reference_number=NOTHING),
        "customerpayments": lambda: zoho.find_payments(reference_number=NOTHING),
    }
    found: dict[str, int] = {}
    lacking = []
    for scope, ask in asked.items():
        try:
            found[scope] = len(await ask())
        except NotAllowed:
            lacking.append(scope)
    what = f"{connection.slug}: Zoho scopes"
    if lacking:
        cure = "make a new refresh token with ZohoInventory.FullAccess.all, or with these scopes added"
        yield fail(what, f"the token may not read {', '.join(lacking)}", cure)
    else:
        seen = f"may read what an order needs; {found['settings']} taxes, {found['currencies (settings)']} currencies"
        yield ok(what, seen)


async def _shipping_item(connection: Connection, zoho: ZohoClient) -> Finding:
    sku = connection.mapping.shipping_sku
    what = f"{connection.slug}: mapping.shipping_sku"
    if any(item.status == "active" for item in await zoho.find_items(sku=sku)):
        return ok(what, f"{sku} is an active item")
    return fail(what, f"Zoho has no active item {sku}", f"make a service item with the SKU {sku} in Zoho")


def _field_names(connection: Connection) -> list[str]:
    return [name for name in (connection.mapping.charge_field, connection.mapping.payment_field) if name]


async def _custom_fields(connection: Connection, zoho: ZohoClient) -> Finding:
    """No call of Inventory's tells which fields there are: an order of ours shows them, another may."""
    what = f"{connection.slug}: custom fields of sales orders"
    wanted = _field_names(connection)
    cure = f"make text fields with the api names {', '.join(wanted)} (Settings, Preferences, Sales Orders, Fields)"
    try:
        rows = await zoho.newest_sales_orders()
        ours = [row for row in rows if row.reference_number.startswith(OURS)]
        if not rows:
            return warn(what, "cannot be seen before there is a sales order", cure)
        order = await zoho.get_sales_order((ours or rows)[0].salesorder_id)
    except NotAllowed:
        return warn(what, "cannot be seen: the token may not read sales orders", cure)
    missing = [name for name in wanted if name not in order.custom_field_hash]
    if not missing:
        return ok(what, f"order {order.salesorder_number} has {', '.join(wanted)}")
    if ours:
        return fail(what, f"our order {order.salesorder_number} was written without {', '.join(missing)}", cure)
    seen = f"cannot be seen: order {order.salesorder_number} is not ours and shows no {', '.join(missing)}"
    return warn(what, seen, cure)
