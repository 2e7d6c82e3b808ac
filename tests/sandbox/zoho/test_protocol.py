"""Tokens, addresses and envelopes."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.zoho.shop import CREDENTIALS, MAIN, OTHER, SHOP, Refused, Shop


async def test_token_answer(shop: Shop) -> None:
    """A refresh token is answered with an access token of an hour and the address of the API."""
    answer = (await shop.token()).json()
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"
    assert answer["api_domain"] == str(shop.http.base_url).rstrip("/")
    assert answer["access_token"].startswith("1000.")


async def test_token_by_query(shop: Shop) -> None:
    """The accounts server takes its parameters from the query as well."""
    answer = await shop.http.post("/oauth/v2/token", params=CREDENTIALS)
    assert "access_token" in answer.json()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"refresh_token": "wrong"}, "invalid_code"),
    ],
)
@pytest.mark.parametrize(("as_200", "status"), [(False, 400), (True, 200)])
async def test_token_refusals(shop: Shop, changes: dict[str, str], error: str, as_200: bool, status: int) -> None:
    """Wrong credentials are refused, with 200 or 400 as the switch says."""
    await shop.switch(token_errors_as_200=as_200)
    answer = await shop.token(**changes)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_token_throttled(shop: Shop) -> None:
    """The eleventh access token within ten minutes is denied, and ten minutes later given again."""
    answers = [await shop.token() for _ in range(9)]
    assert all(answer.status_code == 200 for answer in answers)
    denied = await shop.token()
    assert denied.status_code == 400
    assert denied.json()["error"] == "Access Denied"
    assert denied.json()["status"] == "failure"
    await shop.advance(601)
    assert (await shop.token()).status_code == 200


async def test_token_expires(shop: Shop) -> None:
    """An access token is refused with 57 after an hour."""
    await shop.advance(3590)
    await shop.call("GET", "/items")
    await shop.advance(20)
    with pytest.raises(Refused) as refused:
        await shop.call("GET", "/items")
    assert (refused.value.status, refused.value.code) == (401, 57)


async def test_oldest_token_dropped(shop: Shop) -> None:
    """Of one refresh token thirty access tokens live at most, the oldest is dropped."""
    for _ in range(3):
        await shop.advance(601)
        for _ in range(10):
            await shop.token()
    assert (await shop.send("GET", "/items")).status_code == 401


async def test_tokens_revoked(shop: Shop) -> None:
    """Revoked tokens are refused although their hour is not over."""
    await shop.control("POST", "/_revoke")
    assert (await shop.send("GET", "/items")).json()["code"] == 57


async def test_data_center(shop: Shop) -> None:
    """Behind the name of another data centre neither credentials nor tokens are known."""
    assert (await shop.http.post("/eu/oauth/v2/token", data=CREDENTIALS)).json() == {"error": "invalid_client"}
    own = (await shop.http.post("/us/oauth/v2/token", data=CREDENTIALS)).json()
    assert own["api_domain"].endswith("/us")
    for name, status in (("us", 200), ("eu", 401)):
        path = f"/{name}/inventory/v1/items"
        answer = await shop.http.get(path, params={"organization_id": MAIN}, headers=shop.headers)
        assert answer.status_code == status


@pytest.mark.parametrize("accepted", [False, True])
async def test_bearer(shop: Shop, accepted: bool) -> None:
    """`Bearer` is taken for the token's kind only where the switch says so."""
    await shop.switch(accept_bearer=accepted)
    shop.headers = {"Authorization": shop.headers["Authorization"].replace("Zoho-oauthtoken", "Bearer")}
    assert (await shop.send("GET", "/items")).status_code == (200 if accepted else 401)


@pytest.mark.parametrize("status", [401, 403])
async def test_scope(shop: Shop, status: int) -> None:
    """A token without the scope of an operation gets 57 there and passes elsewhere."""
    await shop.open({**SHOP, "scopes": ["ZohoInventory.items.READ"]})
    await shop.switch(missing_scope_status=status)
    await shop.call("GET", "/items")
    answer = await shop.send("GET", "/contacts")
    assert (answer.status_code, answer.json()["code"]) == (status, 57)


async def test_organization_missing(shop: Shop) -> None:
    """Without organization_id the answer is 6024 with the choices."""
    await shop.open(SHOP, {"organization_id": OTHER, "name": "Second"})
    answer = await shop.http.get("/inventory/v1/items", headers=shop.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 6024)
    assert [row["organization_id"] for row in answer.json()["error_info"]] == [MAIN, OTHER]


@pytest.mark.parametrize(("by_default", "status"), [(False, 400), (True, 200)])
async def test_single_organization(shop: Shop, by_default: bool, status: int) -> None:
    """A user of one organisation may leave organization_id out only where the switch says so."""
    await shop.switch(single_organization_default=by_default)
    answer = await shop.http.get("/inventory/v1/items", headers=shop.headers)
    assert answer.status_code == status


async def test_organization_foreign(shop: Shop) -> None:
    """An organisation of other credentials is unknown to this token."""
    await shop.open(SHOP, {"organization_id": OTHER, "refresh_token": "other"})
    with pytest.raises(Refused) as refused:
        await shop.call("GET", "/items", organization_id=OTHER)
    assert (refused.value.status, refused.value.code) == (400, 4029)


async def test_organizations_apart(shop: Shop) -> None:
    """Records of one organisation are not seen in another."""
    await shop.open(SHOP, {**SHOP, "organization_id": OTHER})
    await shop.contact("Ada")
    second = Shop(shop.http, OTHER)
    second.headers = shop.headers
    assert (await second.call("GET", "/contacts"))["contacts"] == []
    await second.contact("Ada")


async def test_organization_described(shop: Shop) -> None:
    """/organizations needs no organization_id, tells zone and currency, and carries no quota headers."""
    answer = await shop.http.get("/inventory/v1/organizations", headers=shop.headers)
    organization = answer.json()["organizations"][0]
    assert organization["time_zone"] == "America/New_York"
    assert (organization["currency_code"], organization["price_precision"]) == ("EUR", 2)
    assert "x-rate-limit-limit" not in answer.headers
    assert (await shop.call("GET", f"/organizations/{MAIN}"))["organization"]["name"] == "Mug shop"


@pytest.mark.parametrize("path", ["/nothing", "/items/1/2/3", "/salesorders/1/status/unknown"])
async def test_unknown_path(shop: Shop, path: str) -> None:
    """An unknown path is answered with 404 and code 5."""
    answer = await shop.send("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, 5)
    assert (await shop.http.put("/elsewhere")).json()["code"] == 5
    assert (await shop.http.get("/_elsewhere")).json()["code"] == 5


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("/items/1", "Item"),
        ("/contacts/1", "Contact"),
        ("/salesorders/1", "Sales Order"),
        ("/invoices/1", "Invoice"),
        ("/customerpayments/1", "Payment"),
        ("/inventoryadjustments/1", "Inventory Adjustment"),
        ("/settings/taxes/1", "Tax"),
        ("/settings/currencies/1", "Currency"),
    ],
)
async def test_unknown_record(shop: Shop, path: str, noun: str) -> None:
    """An id that names nothing is answered with 1002 and the kind of record."""
    with pytest.raises(Refused) as refused:
        await shop.call("GET", path)
    assert (refused.value.status, refused.value.code) == (404, 1002)
    assert refused.value.message == f"{noun} does not exist."


@pytest.mark.parametrize("content", [b"contact_name=Ada", b'{"contact_name": ', b"[1]"])
async def test_malformed_body(shop: Shop, content: bytes) -> None:
    """A body that is no JSON object is answered with 1038."""
    answer = await shop.http.post(
        "/inventory/v1/contacts", params={"organization_id": MAIN}, content=content, headers=shop.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 1038)


async def test_create_answer(shop: Shop) -> None:
    """A create answers 201 with the record's location, an id of 19 digits and a time in the organisation's zone."""
    contact = await shop.contact()
    assert shop.last.status_code == 201
    assert shop.last.headers["Location"] == f"/api/v1/contacts/{contact['contact_id']}"
    assert re.fullmatch(r"\d{19}", contact["contact_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]00", contact["created_time"])
    made = datetime.fromisoformat(contact["created_time"])
    assert made.utcoffset() == made.astimezone(ZoneInfo("America/New_York")).utcoffset()


async def test_unset_is_empty_text(shop: Shop) -> None:
    """What was not given is "", never null."""
    contact = await shop.contact()
    assert contact["company_name"] == contact["billing_address"]["city"] == ""
    order = await shop.order(contact)
    assert None not in order.values()


async def test_numbers_are_json_numbers(shop: Shop) -> None:
    """Amounts are JSON numbers with no binary noise."""
    order = await shop.order(line_items=[{"name": "Odd", "rate": "0.1", "quantity": 3}])
    assert order["total"] == Decimal("0.3")
    assert '"total": 0.3,' in shop.last.text


@pytest.mark.parametrize(("spec", "key"), [(False, "salesorder"), (True, "sales_order")])
async def test_envelope_keys(shop: Shop, spec: bool, key: str) -> None:
    """The live envelope keys are used, or the specification's where the switch says so."""
    contact = await shop.contact()
    await shop.switch(spec_envelope_keys=spec)
    body = {"customer_id": contact["contact_id"], "line_items": [{"name": "Thing", "rate": 1}]}
    answer = (await shop.send("POST", "/salesorders", body)).json()
    assert set(answer) == {"code", "message", key}
    tax = (await shop.send("POST", "/settings/taxes", {"tax_name": "New", "tax_percentage": 7})).json()["tax"]
    assert isinstance(tax, list) is spec
