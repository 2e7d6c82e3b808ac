"""Zoho Inventory for one organisation, one HTTP request a method (a token's refresh aside)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal

import httpx

from clients.connections import ZohoAccount
from clients.errors import NotFound
from clients.zoho.auth import ZohoAuth
from clients.zoho.books import ZohoBooks
from clients.zoho.budget import BudgetStore, Rules
from clients.zoho.caller import MOST_ROWS, Caller, path
from clients.zoho.codec import Quota, Request, strings
from clients.zoho.credits import ZohoCredits
from clients.zoho.datacenters import hosts
from clients.zoho.documents.contacts import ChangedPerson, NewContact, ZohoAddress
from clients.zoho.documents.payments import NewPayment
from clients.zoho.documents.sales import ChangedSalesOrder, NewInvoice, NewSalesOrder
from clients.zoho.documents.shipping import NewPackage, NewShipment
from clients.zoho.documents.stock import NewAdjustment
from clients.zoho.hand_orders import ZohoHandOrders
from clients.zoho.lists import ZohoLists
from clients.zoho.oauth import Credentials
from clients.zoho.proposals import ZohoProposals
from clients.zoho.records.contacts import Contact, SavedAddress
from clients.zoho.records.invoices import Invoice, InvoiceRow
from clients.zoho.records.orders import Package, SalesOrder, SalesOrderRow, Shipment
from clients.zoho.records.organizations import Currency, Organization, Tax
from clients.zoho.records.payments import Payment
from clients.zoho.records.stock import Adjustment, Item
from clients.zoho.returns import ZohoReturns
from clients.zoho.tokens import TokenStore
from clients.zoho.turns import Turns
from clients.zoho.writeoffs import ZohoWriteOffs

CALL_TIMEOUT = 20.0  # seconds one exchange may take


class ZohoClient:
    """What we ask of Zoho Inventory. A ClientError that a method raises says whether it may have happened."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.credits = ZohoCredits(caller)
        self.returns = ZohoReturns(caller)
        self.proposals = ZohoProposals(caller)
        self.write_offs = ZohoWriteOffs(caller)
        self.lists = ZohoLists(caller)
        self.hand = ZohoHandOrders(caller)
        self.books = ZohoBooks(caller)

    @classmethod
    def of(
        cls,
        account: ZohoAccount,
        tokens: TokenStore,
        http: httpx.AsyncClient,
        *,
        connection: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timeout: float = CALL_TIMEOUT,
        budgets: BudgetStore | None = None,
        bulk: bool = False,
    ) -> ZohoClient:
        """A client for `account`, its token kept in `tokens` under the slug `connection`.

        Its calls keep to the organisation's row in `budgets`; those of a `bulk` client stand behind live payments.
        `http` stays the caller's to close. SettingsError for an unknown data centre.
        """
        auth = ZohoAuth(
            http,
            tokens,
            connection=connection,
            credentials=Credentials(
                client_id=account.client_id,
                client_secret=account.client_secret,
                refresh_token=account.refresh_token,
            ),
            hosts=hosts(account.data_center, accounts_base=account.accounts_base, api_base=account.api_base),
            now=now,
            sleep=sleep,
        )
        organization_id = account.organization_id
        rules = Rules(account.calls_at_once, account.calls_per_minute, account.daily_reserve, bulk=bulk)
        turns = Turns(budgets, organization=organization_id, rules=rules, timeout=timeout, now=now, sleep=sleep)
        return cls(Caller(http, auth, turns, organization_id=organization_id, now=now, timeout=timeout))

    @property
    def organization_id(self) -> str:
        """The organisation that is asked."""
        return self._caller.organization_id

    @property
    def quota(self) -> Quota | None:
        """The daily quota as the last answer told it; None before the first."""
        return self._caller.quota

    async def get_organization(self) -> Organization:
        """Our organisation. NotFound where it is not among those the token may act for."""
        request = Request("GET", "/organizations")
        rows, _ = await self._caller.rows(request, Organization, "organizations")
        wanted = self._caller.organization_id
        for row in rows:
            if row.organization_id == wanted:
                await self._caller.learn_zone(row.time_zone)
                return row
        others = ", ".join(row.organization_id for row in rows) or "none"
        raise NotFound("zoho", f"organization_id {wanted} is not one of this token's: {others}")

    async def list_currencies(self) -> list[Currency]:
        """The currencies of the organisation (the first 200)."""
        request = Request("GET", "/settings/currencies", {"per_page": "200"})
        return (await self._caller.rows(request, Currency, "currencies"))[0]

    async def list_taxes(self) -> list[Tax]:
        """The taxes of the organisation (the first 200)."""
        request = Request("GET", "/settings/taxes", {"per_page": "200"})
        return (await self._caller.rows(request, Tax, "taxes"))[0]

    async def find_items(self, *, sku: str) -> list[Item]:
        """The items with exactly this SKU, active or not: one or none."""
        return await self._caller.find("/items", Item, "items", {"sku": sku})

    async def get_item(self, item_id: str) -> Item:
        """One item with its stock."""
        return await self._caller.one(Request("GET", path("items", item_id)), Item, "item")

    async def list_item_details(self, item_ids: Sequence[str]) -> list[Item]:
        """These items with their stock; those that Zoho does not have are left out."""
        request = Request("GET", "/itemdetails", {"item_ids": ",".join(item_ids)})
        return (await self._caller.rows(request, Item, "items"))[0]

    async def create_adjustment(self, adjustment: NewAdjustment) -> Adjustment:
        """A change of stock that counts at once. Twice makes two."""
        request = Request("POST", "/inventoryadjustments", {"status": "adjusted"}, body=adjustment.body())
        return await self._caller.one(request, Adjustment, "inventory_adjustment")

    async def find_adjustments(self, *, reference_number: str) -> list[Adjustment]:
        """The adjustments with this reference."""
        wanted = {"reference_number": reference_number}
        return await self._caller.find("/inventoryadjustments", Adjustment, "inventory_adjustments", wanted)

    async def get_adjustment(self, adjustment_id: str) -> Adjustment:
        """One adjustment."""
        request = Request("GET", path("inventoryadjustments", adjustment_id))
        return await self._caller.one(request, Adjustment, "inventory_adjustment")

    async def delete_adjustment(self, adjustment_id: str) -> None:
        """Remove an adjustment: what it moved is moved back."""
        await self._caller.call(Request("DELETE", path("inventoryadjustments", adjustment_id)))

    async def find_contacts(self, *, email: str = "", contact_name: str = "") -> list[Contact]:
        """The contacts with this e-mail and this name, in any letter case; e-mails are not unique."""
        wanted = {"email": email, "contact_name": contact_name}
        return await self._caller.find("/contacts", Contact, "contacts", wanted, private=(email, contact_name))

    async def get_contact(self, contact_id: str) -> Contact:
        """One contact with its addresses."""
        return await self._caller.one(Request("GET", path("contacts", contact_id)), Contact, "contact")

    async def create_contact(self, contact: NewContact) -> Contact:
        """A new contact. AlreadyExists (3062) where the name is taken."""
        people = contact.model_dump(exclude={"contact_type", "currency_id", "custom_fields"})
        request = Request("POST", "/contacts", body=contact.body(), private=tuple(strings(people)))
        return await self._caller.one(request, Contact, "contact")

    async def update_contact_person(self, person_id: str, person: ChangedPerson) -> None:
        """Name, e-mail and phone of a contact's person. Twice changes nothing more."""
        body = person.body()
        private = tuple(strings({name: value for name, value in body.items() if name != "contact_id"}))
        request = Request("PUT", path("contacts", "contactpersons", person_id), body=body, private=private)
        await self._caller.call(request)

    async def add_address(self, contact_id: str, address: ZohoAddress) -> str:
        """Another address for a contact; its address_id. Twice makes two. Documented for Zoho Books only."""
        body = address.body()
        request = Request("POST", path("contacts", contact_id, "address"), body=body, private=tuple(strings(body)))
        saved = await self._caller.one(request, SavedAddress, "address_info", "address")
        return saved.address_id

    async def list_addresses(self, contact_id: str) -> list[SavedAddress]:
        """All addresses of a contact: billing, shipping and further ones."""
        request = Request("GET", path("contacts", contact_id, "address"))
        return (await self._caller.rows(request, SavedAddress, "addresses"))[0]

    async def create_sales_order(self, order: NewSalesOrder) -> SalesOrder:
        """A new order in draft under our own number. AlreadyExists (36004) where the number is taken."""
        request = Request("POST", "/salesorders", {"ignore_auto_number_generation": "true"}, body=order.body())
        return await self._caller.one(request, SalesOrder, "salesorder", "sales_order")

    async def find_sales_orders(
        self, *, salesorder_number: str = "", reference_number: str = ""
    ) -> list[SalesOrderRow]:
        """The orders with this number and this reference."""
        wanted = {"salesorder_number": salesorder_number, "reference_number": reference_number}
        return await self._caller.find("/salesorders", SalesOrderRow, "salesorders", wanted)

    async def newest_sales_orders(self) -> list[SalesOrderRow]:
        """The newest orders of the organisation, a page of them."""
        request = Request("GET", "/salesorders", {"page": "1", "per_page": "50"})
        return (await self._caller.rows(request, SalesOrderRow, "salesorders"))[0]

    async def get_sales_order(self, salesorder_id: str) -> SalesOrder:
        """One order with its invoices, payments and packages."""
        request = Request("GET", path("salesorders", salesorder_id))
        return await self._caller.one(request, SalesOrder, "salesorder", "sales_order")

    async def update_sales_order(self, salesorder_id: str, order: ChangedSalesOrder) -> SalesOrder:
        """Says the whole order anew; lines keep their ids. Twice changes nothing more."""
        request = Request("PUT", path("salesorders", salesorder_id), body=order.body())
        return await self._caller.one(request, SalesOrder, "salesorder", "sales_order")

    async def confirm_sales_order(self, salesorder_id: str) -> None:
        """Make a draft order count: its stock is committed."""
        await self._caller.call(Request("POST", path("salesorders", salesorder_id, "status", "confirmed")))

    async def void_sales_order(self, salesorder_id: str) -> None:
        """Make an order count no longer; its number stays taken."""
        await self._caller.call(Request("POST", path("salesorders", salesorder_id, "status", "void")))

    async def create_invoice(self, invoice: NewInvoice) -> Invoice:
        """A new invoice in draft, numbered by Zoho. Twice makes two."""
        request = Request("POST", "/invoices", body=invoice.body())
        return await self._caller.one(request, Invoice, "invoice")

    async def find_invoices(self, *, reference_number: str) -> list[InvoiceRow]:
        """The invoices with this reference."""
        wanted = {"reference_number": reference_number}
        return await self._caller.find("/invoices", InvoiceRow, "invoices", wanted)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """One invoice with its payments."""
        return await self._caller.one(Request("GET", path("invoices", invoice_id)), Invoice, "invoice")

    async def mark_invoice_sent(self, invoice_id: str) -> None:
        """Make a draft invoice count without mailing it: accounting stock goes down."""
        await self._caller.call(Request("POST", path("invoices", invoice_id, "status", "sent")))

    async def void_invoice(self, invoice_id: str) -> None:
        """Make an invoice count no longer: what it moved is moved back."""
        await self._caller.call(Request("POST", path("invoices", invoice_id, "status", "void")))

    async def delete_payment(self, payment_id: str) -> None:
        """Remove the record of a payment; its invoices want the money again."""
        await self._caller.call(Request("DELETE", path("customerpayments", payment_id)))

    async def create_payment(self, payment: NewPayment) -> Payment:
        """Money received, applied to invoices. Zoho knows no duplicate: twice makes two."""
        request = Request("POST", "/customerpayments", body=payment.body())
        return await self._caller.one(request, Payment, "payment", "customerpayment")

    async def get_payment(self, payment_id: str) -> Payment:
        """One payment with the invoices it paid."""
        return await self._caller.one(Request("GET", path("customerpayments", payment_id)), Payment, "payment")

    async def update_payment(self, payment_id: str, payment: NewPayment) -> Payment:
        """Says the whole payment anew. Twice changes nothing more."""
        request = Request("PUT", path("customerpayments", payment_id), body=payment.body())
        return await self._caller.one(request, Payment, "payment", "customerpayment")

    async def find_payments(self, *, reference_number: str) -> list[Payment]:
        """The payments with this reference."""
        wanted = {"reference_number": reference_number}
        return await self._caller.find("/customerpayments", Payment, "customerpayments", wanted)

    async def payments_over(self, amount: Decimal) -> list[Payment]:
        """The newest payments over this amount, two hundred at most."""
        wanted = {"amount": f"{amount:f}", "per_page": MOST_ROWS}
        rows, _ = await self._caller.rows(Request("GET", "/customerpayments", wanted), Payment, "customerpayments")
        return [row for row in rows if row.amount == amount]

    async def create_package(self, salesorder_id: str, package: NewPackage) -> Package:
        """Goods of the order in a new package; they stay where they are. Twice makes two, where enough is left."""
        request = Request("POST", "/packages", {"salesorder_id": salesorder_id}, body=package.body())
        return await self._caller.one(request, Package, "package")

    async def delete_package(self, package_id: str) -> None:
        """Remove a package that has no shipment."""
        await self._caller.call(Request("DELETE", path("packages", package_id)))

    async def create_shipment(self, salesorder_id: str, package_ids: Sequence[str], shipment: NewShipment) -> Shipment:
        """The packages on their way: physical stock goes down."""
        params = {"salesorder_id": salesorder_id, "package_ids": ",".join(package_ids)}
        request = Request("POST", "/shipmentorders", params, body=shipment.body())
        return await self._caller.one(request, Shipment, "shipmentorder", "shipment_order")

    async def delete_shipment(self, shipment_id: str) -> None:
        """Remove a shipment: its packages stand there again, and physical stock is back."""
        await self._caller.call(Request("DELETE", path("shipmentorders", shipment_id)))
