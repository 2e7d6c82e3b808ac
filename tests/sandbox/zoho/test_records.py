"""Contacts, items, taxes, currencies and custom fields."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.zoho.shop import Refused, Shop


async def test_contact_kept(shop: Shop) -> None:
    """A contact keeps its persons, addresses, currency and custom fields."""
    made = await shop.contact(
        contact_type="customer",
        contact_persons=[{"first_name": "Ada", "last_name": "L", "email": "ada@example.com", "phone": "1"}],
        billing_address={"attention": "Ada", "address": "Row 1", "city": "London", "zip": "N1", "country": "U.K."},
        custom_fields=[{"index": 2, "value": "gold"}],
    )
    contact = await shop.read("contact", made["contact_id"])
    assert contact["email"] == "ada@example.com"
    assert contact["contact_persons"][0]["is_primary_contact"] is True
    assert contact["primary_contact_id"] == contact["contact_persons"][0]["contact_person_id"]
    assert contact["billing_address"]["city"] == "London"
    assert contact["billing_address"]["address_id"] != contact["shipping_address"]["address_id"]
    assert (contact["currency_code"], contact["contact_type"]) == ("EUR", "customer")
    assert contact["custom_field_hash"] == {"cf_tier": "gold"}


@pytest.mark.parametrize("allowed", [False, True])
async def test_contact_name_unique(shop: Shop, allowed: bool) -> None:
    """A second contact of a name is refused with 3062, unless the organisation allows it."""
    await shop.contact("Ada")
    await shop.switch(duplicate_contact_names=allowed)
    answer = await shop.send("POST", "/contacts", {"contact_name": "Ada"})
    assert answer.status_code == (201 if allowed else 400)
    if not allowed:
        assert answer.json()["code"] == 3062
        assert '"Ada" already exists' in answer.json()["message"]


async def test_contact_renamed(shop: Shop) -> None:
    """Renaming to a taken name is refused with 3062, keeping one's own name is not."""
    await shop.contact("Ada")
    other = await shop.contact("Bob")
    path = f"/contacts/{other['contact_id']}"
    with pytest.raises(Refused) as refused:
        await shop.call("PUT", path, {"contact_name": "Ada"})
    assert refused.value.code == 3062
    await shop.call("PUT", path, {"contact_name": "Bob"})
    await shop.call("PUT", path, {"contact_name": "Rob"})
    await shop.contact("Bob")


async def test_email_not_unique(shop: Shop) -> None:
    """Contacts may share an e-mail, and are found by the e-mail of any of their persons."""
    persons = [{"email": "main@example.com", "is_primary_contact": True}, {"email": "ada@example.com"}]
    await shop.contact("Ada", contact_persons=persons)
    await shop.contact("Bob", contact_persons=[{"email": "ada@example.com"}])
    rows = (await shop.call("GET", "/contacts", email="ada@example.com"))["contacts"]
    assert [row["contact_name"] for row in rows] == ["Bob", "Ada"]
    assert (await shop.call("GET", "/contacts", email="none@example.com"))["contacts"] == []


async def test_contact_found_by_name(shop: Shop) -> None:
    """The name's filter is exact, its variants are not."""
    await shop.contact("Ada Lovelace")
    await shop.contact("Ada")
    rows = (await shop.call("GET", "/contacts", contact_name="Ada"))["contacts"]
    assert [row["contact_name"] for row in rows] == ["Ada"]
    assert len((await shop.send("GET", "/contacts", contact_name_startswith="ada")).json()["contacts"]) == 2
    assert len((await shop.call("GET", "/contacts", search_text="love"))["contacts"]) == 1


async def test_contact_name_required(shop: Shop) -> None:
    """A contact without a name, or with one beyond 200 characters, is refused."""
    assert (await shop.send("POST", "/contacts", {"notes": "?"})).json()["code"] == 99002
    assert (await shop.send("POST", "/contacts", {"contact_name": "a" * 201})).json()["code"] == 99003
    await shop.contact("a" * 200)


@pytest.mark.parametrize("offered", [True, False])
async def test_address_added(shop: Shop, offered: bool) -> None:
    """An address is added where the endpoint of Books is offered, else its path is unknown."""
    contact = await shop.contact()
    path = f"/contacts/{contact['contact_id']}/address"
    await shop.switch(contact_address_endpoint=offered)
    if not offered:
        assert (await shop.send("POST", path, {"city": "Rome"})).json()["code"] == 5
        return
    added = (await shop.call("POST", path, {"attention": "Ada", "city": "Rome"}))["address_info"]
    assert added["city"] == "Rome"
    listed = (await shop.call("GET", path))["addresses"]
    assert [row["address_id"] for row in listed][2:] == [added["address_id"]]
    assert (await shop.read("contact", contact["contact_id"]))["addresses"][0]["city"] == "Rome"


@pytest.mark.parametrize("changeable", [False, True])
async def test_contact_currency(shop: Shop, changeable: bool) -> None:
    """A contact's currency can change until it has transactions, afterwards only where the switch says so."""
    contact = await shop.contact("Ada")
    rows = (await shop.call("GET", "/settings/currencies"))["currencies"]
    ids = {row["currency_code"]: row["currency_id"] for row in rows}
    path = f"/contacts/{contact['contact_id']}"
    changed = await shop.call("PUT", path, {"contact_name": "Ada", "currency_id": ids["JPY"]})
    assert changed["contact"]["currency_code"] == "JPY"
    await shop.order(contact)
    await shop.switch(contact_currency_changeable=changeable)
    answer = await shop.send("PUT", path, {"contact_name": "Ada", "currency_id": ids["KWD"]})
    assert answer.json()["code"] == (0 if changeable else 99014)


@pytest.mark.parametrize("refused", [True, False])
async def test_inactive_contact(shop: Shop, refused: bool) -> None:
    """Whether an inactive contact gets new documents is a switch."""
    contact = await shop.contact()
    await shop.call("POST", f"/contacts/{contact['contact_id']}/inactive")
    await shop.switch(inactive_contacts_refused=refused)
    body = {"customer_id": contact["contact_id"], "line_items": [{"item_id": await shop.item_id()}]}
    assert (await shop.send("POST", "/salesorders", body)).json()["code"] == (99005 if refused else 0)
    await shop.call("POST", f"/contacts/{contact['contact_id']}/active")
    await shop.order(contact)


@pytest.mark.parametrize("refused", [True, False])
async def test_contact_deleted(shop: Shop, refused: bool) -> None:
    """A contact can be deleted; whether also one with transactions is a switch."""
    free = await shop.contact("Free")
    await shop.call("DELETE", f"/contacts/{free['contact_id']}")
    assert (await shop.send("GET", f"/contacts/{free['contact_id']}")).json()["code"] == 1002
    busy = await shop.contact("Busy")
    await shop.order(busy)
    await shop.switch(delete_with_children_refused=refused)
    answer = await shop.send("DELETE", f"/contacts/{busy['contact_id']}")
    assert answer.json()["code"] == (99009 if refused else 0)


async def test_item_made(shop: Shop) -> None:
    """An item is made with its opening stock in both ledgers and found by its SKU."""
    body = {"name": "Bowl", "sku": "BOWL", "rate": "7.25", "initial_stock": 12}
    item = (await shop.send("POST", "/items", body)).json()["item"]
    assert (item["stock_on_hand"], item["actual_available_stock"]) == (12, 12)
    assert item["locations"][0]["location_stock_on_hand"] == 12
    rows = (await shop.call("GET", "/items", sku="BOWL"))["items"]
    assert [row["item_id"] for row in rows] == [item["item_id"]]
    assert "custom_fields" not in rows[0]
    details = (await shop.call("GET", "/itemdetails", item_ids=f"{item['item_id']},1"))["items"]
    assert [row["sku"] for row in details] == ["BOWL"]


async def test_sku_unique(shop: Shop) -> None:
    """A SKU belongs to one item, on POST and PUT."""
    assert (await shop.send("POST", "/items", {"name": "Other", "sku": "MUG"})).json()["code"] == 99004
    cup = await shop.item_id("CUP")
    assert (await shop.send("PUT", f"/items/{cup}", {"name": "Cup", "sku": "MUG"})).json()["code"] == 99004
    changed = await shop.call("PUT", f"/items/{cup}", {"name": "Big cup", "sku": "CUP", "rate": "5"})
    assert (changed["item"]["name"], changed["item"]["rate"]) == ("Big cup", 5)


@pytest.mark.parametrize("refused", [True, False])
async def test_inactive_item(shop: Shop, refused: bool) -> None:
    """Whether an inactive item gets into new documents is a switch."""
    item_id = await shop.item_id()
    await shop.call("POST", f"/items/{item_id}/inactive")
    await shop.switch(inactive_items_refused=refused)
    contact = await shop.contact()
    body = {"customer_id": contact["contact_id"], "line_items": [{"item_id": item_id}]}
    assert (await shop.send("POST", "/salesorders", body)).json()["code"] == (99005 if refused else 0)
    await shop.call("POST", f"/items/{item_id}/active")
    assert (await shop.read("item", item_id))["status"] == "active"


async def test_item_deleted(shop: Shop) -> None:
    """An item on no open order can be deleted."""
    item_id = await shop.item_id("CUP")
    await shop.call("DELETE", f"/items/{item_id}")
    assert (await shop.call("GET", "/items", sku="CUP"))["items"] == []
    await shop.confirmed()
    assert (await shop.send("DELETE", f"/items/{await shop.item_id()}")).json()["code"] == 99009


async def test_service_has_no_stock(shop: Shop) -> None:
    """A service shows no stock and none is moved."""
    item_id = await shop.item_id("WRAP")
    assert (await shop.read("item", item_id))["stock_on_hand"] == ""
    await shop.sent(await shop.confirmed(line_items=[{"item_id": item_id, "quantity": 3}]))
    assert (await shop.stock("WRAP"))["accounting"] == 0


async def test_taxes_and_currencies(shop: Shop) -> None:
    """Taxes list groups too; currencies tell their decimals and rate."""
    taxes = {row["tax_name"]: row for row in (await shop.call("GET", "/settings/taxes"))["taxes"]}
    assert taxes["VAT"]["tax_percentage"] == 19
    assert taxes["State and city"]["tax_type"] == "tax_group"
    group_id = taxes["State and city"]["tax_id"]
    group = (await shop.call("GET", f"/settings/taxgroups/{group_id}"))["tax_group"]
    assert group["tax_group_percentage"] == Decimal("7.5")
    assert [tax["tax_name"] for tax in group["taxes"]] == ["State", "City"]
    rows = {row["currency_code"]: row for row in (await shop.call("GET", "/settings/currencies"))["currencies"]}
    assert {code: row["price_precision"] for code, row in rows.items()} == {"EUR": 2, "JPY": 0, "KWD": 3}
    assert rows["EUR"]["is_base_currency"] is True
    assert rows["KWD"]["exchange_rate"] == Decimal("2.99")
    made = await shop.send("POST", "/settings/currencies", {"currency_code": "GBP", "currency_symbol": "£"})
    assert made.json()["currency"]["currency_code"] == "GBP"


@pytest.mark.parametrize("key", ["api_name", "label", "customfield_id"])
async def test_custom_field_named(shop: Shop, key: str) -> None:
    """A custom field is named by api_name, label or id and read back in the hash."""
    first = await shop.order(custom_fields=[{"label": "Stripe Payment Id", "value": "x"}])
    field = first["custom_fields"][0]
    order = await shop.order(await shop.contact("Bob"), "SO-2", custom_fields=[{key: field[key], "value": "pi_1"}])
    assert order["custom_field_hash"] == {"cf_stripe_payment_id": "pi_1"}


@pytest.mark.parametrize("accepted", [True, False])
async def test_custom_field_api_name(shop: Shop, accepted: bool) -> None:
    """Whether api_name names a custom field in requests is a switch."""
    await shop.switch(custom_field_api_name_accepted=accepted)
    contact = await shop.contact()
    fields = [{"api_name": "cf_stripe_payment_id", "value": "pi_1"}]
    body = {"customer_id": contact["contact_id"], "line_items": [{"name": "A"}], "custom_fields": fields}
    assert (await shop.send("POST", "/salesorders", body)).json()["code"] == (0 if accepted else 99013)


@pytest.mark.parametrize("refused", [True, False])
async def test_custom_field_unknown(shop: Shop, refused: bool) -> None:
    """Whether a custom field that does not exist is refused or dropped is a switch."""
    await shop.switch(unknown_custom_field_refused=refused)
    contact = await shop.contact()
    fields = [{"label": "None such", "value": "1"}]
    body = {"customer_id": contact["contact_id"], "line_items": [{"name": "A"}], "custom_fields": fields}
    answer = (await shop.send("POST", "/salesorders", body)).json()
    assert answer["code"] == (99013 if refused else 0)
    if not refused:
        assert answer["salesorder"]["custom_field_hash"] == {}


async def test_contact_person_changed(shop: Shop) -> None:
    """A person keeps what is not named; the contact's e-mail is that of its primary person."""
    made = await shop.contact(
        "Ada", contact_persons=[{"first_name": "Ada", "last_name": "L", "email": "a@example.com"}]
    )
    person_id = made["contact_persons"][0]["contact_person_id"]
    path = f"/contacts/contactpersons/{person_id}"
    body = {"contact_id": made["contact_id"], "first_name": "Ada", "email": "b@example.com"}
    await shop.call("PUT", path, body)
    contact = await shop.read("contact", made["contact_id"])
    assert (contact["email"], contact["contact_persons"][0]["last_name"]) == ("b@example.com", "L")
    with pytest.raises(Refused) as refused:
        await shop.call("PUT", "/contacts/contactpersons/1", body)
    assert refused.value.code == 1002
    with pytest.raises(Refused):
        await shop.call("PUT", path, {"contact_id": made["contact_id"]})
