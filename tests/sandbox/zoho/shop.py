"""A shop on the Zoho sandbox, spoken to as Zoho is; every request and answer is held against the specification."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx

from tests.sandbox.vendor.zoho_check import request_problems, response_problems

Row = dict[str, Any]

MAIN, OTHER = "100", "200"
SHOP: Row = {
    "organization_id": MAIN,
    "name": "Mug shop",
    "currency_code": "EUR",
    "time_zone": "America/New_York",
    "items": [
        {"sku": "MUG", "name": "Mug", "rate": "10.00", "stock": 100, "tax": "VAT"},
        {"sku": "CUP", "name": "Cup", "rate": "4.50", "stock": 5},
        {"sku": "WRAP", "name": "Gift wrap", "rate": "2.00", "product_type": "service"},
    ],
    "taxes": [
        {"tax_name": "VAT", "tax_percentage": 19},
        {"tax_name": "State", "tax_percentage": "4.5"},
        {"tax_name": "City", "tax_percentage": "3"},
        {"tax_name": "Ten", "tax_percentage": 10},
    ],
    "taxgroups": [{"tax_group_name": "State and city", "taxes": ["State", "City"]}],
    "currencies": [
        {"currency_code": "JPY", "price_precision": 0, "exchange_rate": "0.0062"},
        {"currency_code": "KWD", "price_precision": 3, "exchange_rate": "2.99"},
    ],
    "custom_fields": [
        {"api_name": "cf_stripe_payment_id"},
        {"api_name": "cf_tier", "entity": "contact"},
    ],
    "accounts": [
        {"account_id": "900", "account_name": "Stripe clearing", "account_type": "payment_clearing"},
        {"account_id": "911", "account_name": "House bank", "account_type": "bank"},
        {"account_id": "912", "account_name": "Stripe fees", "account_type": "expense"},
        {"account_id": "913", "account_name": "Old fees", "account_type": "expense", "is_active": False},
    ],
}

CREDENTIALS = {
    "grant_type": "refresh_token",
    "refresh_token": "refresh",
    "client_id": "client",
    "client_secret": "secret",
}


class Refused(Exception):
    """Zoho said no: HTTP status, code, message and the whole answer."""

    def __init__(self, response: httpx.Response) -> None:
        body = response.json()
        super().__init__(f"{response.status_code} {body}")
        self.status, self.code, self.message = response.status_code, body["code"], body["message"]
        self.body, self.headers = body, response.headers


class Shop:
    """One organisation and a token for it."""

    def __init__(self, http: httpx.AsyncClient, organization_id: str = MAIN) -> None:
        self.http, self.organization_id = http, organization_id
        self.headers: dict[str, str] = {}
        self.last: httpx.Response

    async def control(self, method: str, path: str, body: Any = None) -> Row:
        """Asks one of the sandbox's own addresses."""
        response = await self.http.request(method, path, json=body)
        assert response.status_code == 200, response.text
        answer: Row = json.loads(response.text, parse_float=Decimal)
        return answer

    async def open(self, *organizations: Row) -> None:
        """Starts anew with these organisations and signs in."""
        await self.control("POST", "/_reset")
        await self.control("POST", "/_seed", {"organizations": list(organizations or (SHOP,))})
        await self.sign_in()

    async def token(self, **changes: str) -> httpx.Response:
        """Asks the accounts server for an access token."""
        return await self.http.post("/oauth/v2/token", data=CREDENTIALS | changes)

    async def sign_in(self) -> None:
        """Takes a new access token into use."""
        token = (await self.token()).json()["access_token"]
        self.headers = {"Authorization": f"Zoho-oauthtoken {token}"}

    async def send(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """One request, whatever the answer."""
        query = {"organization_id": self.organization_id, **query}
        content = None if body is None else json.dumps(body, default=str)
        api = "" if path.startswith("/books/") else "/inventory/v1"
        self.last = await self.http.request(method, api + path, params=query, content=content, headers=self.headers)
        return self.last

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Row:
        """One request that has to succeed and to exist in the specification, as has its answer; else Refused."""
        response = await self.send(method, path, body, **query)
        if response.status_code >= 300:
            raise Refused(response)
        answer: Row = json.loads(response.text, parse_float=Decimal)
        assert answer["code"] == 0
        assert request_problems(method, path, query, body) == []
        assert response_problems(method, path, answer) == []
        return answer

    async def switch(self, **positions: Any) -> None:
        """Moves switches."""
        await self.control("POST", "/_switches", positions)

    async def advance(self, seconds: float) -> None:
        """Puts the clock forward."""
        await self.control("POST", "/_clock", {"advance": seconds})

    async def fault(self, **fault: Any) -> None:
        """Arms a fault."""
        await self.control("POST", "/_faults", fault)

    async def ledger(self) -> Row:
        """What the organisation holds."""
        found: Row = (await self.control("GET", "/_ledger"))["organizations"][self.organization_id]
        return found

    async def stock(self, sku: str = "MUG") -> Row:
        """The stock ledgers of one item."""
        return next(item for item in (await self.ledger())["items"] if item["sku"] == sku)

    async def item_id(self, sku: str = "MUG") -> str:
        """The id of the item with that SKU."""
        return str((await self.call("GET", "/items", sku=sku))["items"][0]["item_id"])

    async def tax_id(self, name: str) -> str:
        """The id of the tax of that name."""
        taxes = (await self.call("GET", "/settings/taxes"))["taxes"]
        return next(str(tax["tax_id"]) for tax in taxes if tax["tax_name"] == name)

    async def contact(self, name: str = "Ada", currency: str = "", **fields: Any) -> Row:
        """A new contact."""
        if currency:
            rows = (await self.call("GET", "/settings/currencies"))["currencies"]
            fields["currency_id"] = next(r["currency_id"] for r in rows if r["currency_code"] == currency)
        body = {"contact_name": name, **fields}
        contact: Row = (await self.call("POST", "/contacts", body))["contact"]
        return contact

    async def order(self, contact: Row | None = None, number: str = "SO-1", **fields: Any) -> Row:
        """A new order, of two mugs unless `line_items` says otherwise."""
        contact = contact or await self.contact()
        lines = fields.pop("line_items", None) or [{"item_id": await self.item_id(), "quantity": 2}]
        body = {"customer_id": contact["contact_id"], "salesorder_number": number, "line_items": lines, **fields}
        answer = await self.call("POST", "/salesorders", body, ignore_auto_number_generation="true")
        order: Row = answer["salesorder"]
        return order

    async def confirmed(self, **fields: Any) -> Row:
        """A new order, confirmed."""
        order = await self.order(**fields)
        await self.call("POST", f"/salesorders/{order['salesorder_id']}/status/confirmed")
        return order

    async def invoice(self, order: Row, **fields: Any) -> Row:
        """A draft invoice of all lines of an order."""
        names = ("item_id", "quantity", "rate", "discount", "tax_id")
        lines = [
            {**{n: line[n] for n in names if line[n] != ""}, "salesorder_item_id": line["line_item_id"]}
            for line in order["line_items"]
        ]
        body = {"customer_id": order["customer_id"], "line_items": lines, **fields}
        invoice: Row = (await self.call("POST", "/invoices", body))["invoice"]
        return invoice

    async def sent(self, order: Row, **fields: Any) -> Row:
        """An invoice of an order, marked as sent."""
        invoice = await self.invoice(order, **fields)
        await self.call("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
        return invoice

    async def pay(self, invoice: Row, **fields: Any) -> Row:
        """A payment of the whole invoice."""
        body = {
            "customer_id": invoice["customer_id"],
            "payment_mode": "Stripe",
            "amount": invoice["total"],
            "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": invoice["total"]}],
            **fields,
        }
        payment: Row = (await self.call("POST", "/customerpayments", body))["payment"]
        return payment

    async def read(self, kind: str, record_id: str) -> Row:
        """A record by its id: `kind` is salesorder, invoice, contact or item."""
        record: Row = (await self.call("GET", f"/{kind}s/{record_id}"))[kind]
        return record
