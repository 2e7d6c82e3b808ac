"""Zoho: the token, the organisation, every right that an order needs, and what the mapping names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.checkups.finding import Finding, fail, ok
from clients.connections import Connection
from clients.errors import NotAllowed
from clients.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.models import Organization
from clients.zoho.transport import open_http

NOBODY = "nobody@throughline.invalid"
NOTHING = "throughline-doctor"


async def look(connection: Connection, store: Store) -> AsyncIterator[Finding]:
    """About eight calls of the organisation's quota. ClientError where Zoho refuses the token or is away."""
    async with open_http() as http:
        zoho = ZohoClient.of(
            connection.zoho, store.tokens, http, connection=connection.slug, now=lambda: datetime.now(UTC)
        )
        organization = await zoho.get_organization()
        yield ok(f"{connection.slug}: Zoho token", f"accepted for organisation {organization.organization_id}")
        yield _organization(connection, organization)
        async for finding in _rights(connection, zoho):
            yield finding
        if connection.mapping.shipping_sku:
            yield await _shipping_item(connection, zoho)


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
