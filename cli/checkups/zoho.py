"""Zoho: the token, the organisation, every right that an order needs, and what the mapping names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.checkups.finding import Finding, fail, ok, warn
from cli.reach import zoho_client
from clients.connections import Connection
from clients.errors import NotAllowed, Refused, TokenRefused
from clients.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.proposals import ZohoProposals
from clients.zoho.records.organizations import Organization
from clients.zoho.returns import ZohoReturns
from domain.book_accounts import ACCOUNTS_CURE, NamedAccount, account_faults, deposit_fault

NOBODY = "nobody@throughline.invalid"
NOTHING = "throughline-doctor"
OURS = ("pi_", "ch_", "py_")  # the reference number of an order that carries a payment is the payment's id


async def look(connection: Connection, store: Store) -> AsyncIterator[Finding]:
    """About ten calls of the organisation's quota. ClientError where Zoho refuses the token or is away."""
    async with zoho_client(connection, store) as zoho:
        organization = await zoho.get_organization()
        yield ok(f"{connection.slug}: Zoho token", f"accepted for organisation {organization.organization_id}")
        yield _organization(connection, organization)
        async for finding in _rights(connection, zoho):
            yield finding
        if connection.mapping.shipping_sku:
            yield await _shipping_item(connection, zoho)
        if connection.policy.books.post:
            yield await _book_accounts(connection, zoho)
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


def _questions(connection: Connection, zoho: ZohoClient) -> dict[str, Callable[[], Awaitable[list[Any]]]]:
    """One that reads for each scope that the connection needs."""
    asked: dict[str, Callable[[], Awaitable[list[Any]]]] = {
        "settings": zoho.list_taxes,
        "currencies (settings)": zoho.list_currencies,
        "items": lambda: zoho.find_items(sku=NOTHING),
        "contacts": lambda: zoho.find_contacts(email=NOBODY),
        "salesorders": lambda: zoho.find_sales_orders(salesorder_number=NOTHING),
        "invoices": lambda: zoho.find_invoices(reference_number=NOTHING),
        "customerpayments": lambda: zoho.find_payments(reference_number=NOTHING),
    }
    returns = connection.policy.returns
    if returns.on or returns.adjustments:
        asked["salesreturns"] = lambda: _first_page(zoho.returns)
        asked["creditnotes"] = lambda: zoho.credits.find(NOTHING)
    if returns.adjustments:
        asked["inventoryadjustments"] = lambda: _first_page(zoho.proposals)
    if connection.policy.books.post:
        asked["ZohoBooks.accountants"] = lambda: zoho.books.find_journals(NOTHING)
        asked["ZohoBooks.banking"] = lambda: zoho.books.find_transactions(NOTHING)
    return asked


async def _rights(connection: Connection, zoho: ZohoClient) -> AsyncIterator[Finding]:
    found: dict[str, int] = {}
    lacking = []
    for scope, ask in _questions(connection, zoho).items():
        try:
            found[scope] = len(await ask())
        except (NotAllowed, TokenRefused):  # accepted a moment ago: a missing scope is said with 401 or 403
            lacking.append(scope)
        except Refused:  # of an organisation without Books
            if not scope.startswith("ZohoBooks"):
                raise
            lacking.append(scope)
    what = f"{connection.slug}: Zoho scopes"
    if lacking:
        cure = "make a new refresh token with these scopes added, or with ZohoInventory.FullAccess.all"
        if connection.policy.books.post:
            cure += " and ZohoBooks.fullaccess.all; or has the organisation no Zoho Books?"
        yield fail(what, f"the token may not read {', '.join(lacking)}", cure)
    else:
        seen = f"may read what an order needs; {found['settings']} taxes, {found['currencies (settings)']} currencies"
        yield ok(what, seen)


async def _first_page(lists: ZohoReturns | ZohoProposals) -> list[Any]:
    return list((await lists.page(1))[0])


async def _shipping_item(connection: Connection, zoho: ZohoClient) -> Finding:
    sku = connection.mapping.shipping_sku
    what = f"{connection.slug}: mapping.shipping_sku"
    if any(item.status == "active" for item in await zoho.find_items(sku=sku)):
        return ok(what, f"{sku} is an active item")
    return fail(what, f"Zoho has no active item {sku}", f"make a service item with the SKU {sku} in Zoho")


async def _book_accounts(connection: Connection, zoho: ZohoClient) -> Finding:
    """The accounts that a payout may need: clearing and bank always, the others where it has such a line.

    Those of customers' payments and refunds are never posted to.
    """
    what = f"{connection.slug}: accounts in Zoho Books"
    carried = {connection.accounts.receivables, connection.accounts.refunds}
    names = [name for name in dict.fromkeys(connection.accounts.model_dump().values()) if name not in carried]
    found: list[NamedAccount] = []
    page, more = 1, True
    try:
        while more:
            accounts, more = await zoho.books.accounts(page)
            found, page = [*found, *accounts], page + 1
    except (Refused, TokenRefused):
        return warn(what, "cannot be seen: the token may not read them", "see the scopes")
    if faults := account_faults(names, found):
        always = account_faults((connection.accounts.clearing, connection.accounts.bank), found)
        return (fail if always else warn)(what, "; ".join(faults), ACCOUNTS_CURE)
    ids = {one.name: one.account_id for one in found}
    if fault := deposit_fault(connection.accounts.clearing, connection.mapping.deposit_account_id, ids):
        return fail(what, fault, "correct mapping.deposit_account_id or accounts.clearing")
    return ok(what, f"all {len(names)} are there")


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
