"""Contacts, their persons and addresses: a name is unique unless the organisation says otherwise, an e-mail is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.zoho import custom_fields, errors
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, flag, required, rows, text, touch
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public

ADDRESS = (
    "attention",
    "address",
    "street2",
    "city",
    "state",
    "state_code",
    "zip",
    "country",
    "country_code",
    "phone",
    "fax",
)
_PERSON = ("salutation", "first_name", "last_name", "email", "phone", "mobile")
# Fields a caller may set that the sandbox only keeps.
_KEPT = ("company_name", "website", "notes", "language_code", "facebook", "twitter")


def _address(given: Row, address_id: str) -> Row:
    return {"address_id": address_id, **{name: text(given, name) for name in ADDRESS}}


def _object(body: Row, name: str) -> Row:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise errors.invalid_value(name)
    return value


def _persons(call: Call, body: Row) -> list[Row]:
    persons = [
        {
            "contact_person_id": text(given, "contact_person_id") or call.world.new_id(),
            **{name: text(given, name, most=100) for name in _PERSON},
            "is_primary_contact": flag(given, "is_primary_contact", False),
        }
        for given in rows(body, "contact_persons")
    ]
    if persons and not any(person["is_primary_contact"] for person in persons):
        persons[0]["is_primary_contact"] = True
    return persons


def _primary(row: Row) -> Row:
    chosen = [person for person in row["contact_persons"] if person["is_primary_contact"]]
    return chosen[0] if chosen else dict.fromkeys(("contact_person_id", *_PERSON), "")


def _take_persons(row: Row, persons: list[Row]) -> None:
    row["contact_persons"] = persons
    primary = _primary(row)
    row["primary_contact_id"] = primary["contact_person_id"]
    for name in ("first_name", "last_name", "email", "phone", "mobile"):
        row[name] = primary[name]


def _check_name(call: Call, name: str, own_id: str = "") -> None:
    if call.switches.duplicate_contact_names:
        return
    found = call.table("contacts").find("contact_name", name, ignore_case=call.switches.text_ignores_case)
    if any(row["contact_id"] != own_id for row in found):
        raise errors.contact_taken(name)


def _take_currency(call: Call, row: Row, body: Row) -> None:
    wanted = text(body, "currency_id") or call.org.currency(call.org.settings["currency_code"])["currency_id"]
    currency = call.table("currencies").get(wanted)
    if currency is None:
        raise errors.missing("Currency")
    for name in ("currency_id", "currency_code", "currency_symbol"):
        row[name] = currency[name]


def _create(call: Call) -> Answer:
    required(call.body, "contact_name")
    name = text(call.body, "contact_name", most=200)
    _check_name(call, name)
    contact_id = call.world.new_id()
    row: Row = {
        "contact_id": contact_id,
        "contact_name": name,
        "contact_type": text(call.body, "contact_type", "customer"),
        "status": "active",
        "payment_terms": 0,
        "payment_terms_label": "Due on Receipt",
        "has_transaction": False,
        "is_taxable": True,
        "is_linked_with_zohocrm": False,
        "payment_reminder_enabled": True,
        **{field: text(call.body, field) for field in _KEPT},
        "outstanding_receivable_amount": Decimal(0),
        "unused_credits_receivable_amount": Decimal(0),
        "billing_address": _address(_object(call.body, "billing_address"), call.world.new_id()),
        "shipping_address": _address(_object(call.body, "shipping_address"), call.world.new_id()),
        "addresses": [],
        **custom_fields.read(call, call.body, "contact"),
        **born(call.org),
    }
    _take_currency(call, row, call.body)
    _take_persons(row, _persons(call, call.body))
    call.table("contacts").put(contact_id, row)
    return Answer("The contact has been added.", {"contact": public(row)}, f"/contacts/{contact_id}")


def _contact(call: Call) -> Row:
    return call.row("contacts", "contact_id", "Contact")


def _read(call: Call) -> Answer:
    return Answer("success", {"contact": public(_contact(call))})


def _update(call: Call) -> Answer:
    row, body = _contact(call), call.body
    if body.get("contact_name"):
        name = text(body, "contact_name", most=200)
        _check_name(call, name, row["contact_id"])
        row["contact_name"] = name
    if body.get("currency_id") not in (None, row["currency_id"]):
        if row["has_transaction"] and not call.switches.contact_currency_changeable:
            raise errors.currency_fixed()
        _take_currency(call, row, body)
    for name in ("billing_address", "shipping_address"):
        if body.get(name):
            row[name] = _address(_object(body, name), row[name]["address_id"])
    row.update({field: text(body, field) for field in _KEPT if field in body})
    row.update(custom_fields.read(call, body, "contact", row))
    if body.get("contact_persons"):
        _take_persons(row, _persons(call, body))
    touch(call.org, call.table("contacts"), row["contact_id"])
    return Answer("Contact information has been saved.", {"contact": public(row)})


def _update_person(call: Call) -> Answer:
    required(call.body, "contact_id", "first_name")
    row = call.table("contacts").get(text(call.body, "contact_id"))
    persons = row["contact_persons"] if row else []
    wanted = [person for person in persons if person["contact_person_id"] == call.params["contact_person_id"]]
    if row is None or not wanted:
        raise errors.missing("Contact person")
    wanted[0].update({name: text(call.body, name, most=100) for name in _PERSON if name in call.body})
    _take_persons(row, persons)
    touch(call.org, call.table("contacts"), row["contact_id"])
    return Answer(
        "The contact person has been saved.", {"contact_person": {**wanted[0], "contact_id": row["contact_id"]}}
    )


def _delete(call: Call) -> Answer:
    row = _contact(call)
    if row["has_transaction"] and call.switches.delete_with_children_refused:
        raise errors.has_children("contact")
    call.table("contacts").remove(row["contact_id"])
    return Answer("The customer has been deleted.")


def _mark(status: str) -> Any:
    def mark(call: Call) -> Answer:
        row = _contact(call)
        row["status"] = status
        touch(call.org, call.table("contacts"), row["contact_id"])
        return Answer(f"The contact has been marked as {status}.")

    return mark


def _addresses(call: Call) -> Answer:
    row = _contact(call)
    return Answer("success", {"addresses": [row["billing_address"], row["shipping_address"], *row["addresses"]]})


def _add_address(call: Call) -> Answer:
    if not call.switches.contact_address_endpoint:
        raise errors.invalid_url()
    row = _contact(call)
    address = _address(call.body, call.world.new_id())
    row["addresses"].append(address)
    touch(call.org, call.table("contacts"), row["contact_id"])
    return Answer(
        "The address has been added.",
        {"address_info": address},
        f"/contacts/{row['contact_id']}/address/{address['address_id']}",
    )


def address_of(contact: Row, address_id: str) -> Row:
    """The contact's address of that id, without the id; refuses with 1002 where it has none."""
    for address in (contact["billing_address"], contact["shipping_address"], *contact["addresses"]):
        if address["address_id"] == address_id:
            return {name: value for name, value in address.items() if name != "address_id"}
    raise errors.missing("Address")


_ROW = (
    "contact_id", "contact_name", "company_name", "contact_type", "status", "payment_terms",
    "payment_terms_label", "currency_id", "currency_code", "outstanding_receivable_amount",
    "unused_credits_receivable_amount", "first_name", "last_name", "email", "phone", "mobile", "created_time",
    "last_modified_time", "custom_fields", "custom_field_hash",
)  # fmt: skip


def _list_row(call: Call, row: Row) -> Row:
    return {name: row[name] for name in _ROW}


_LIST = Listing(
    "contacts",
    "contacts",
    "Contacts",
    _list_row,
    filters=(
        "contact_name",
        "email",
        "company_name",
        "first_name",
        "last_name",
        "phone",
        "status",
        "contact_type",
    ),
    search=("contact_name", "company_name", "email", "phone", "notes"),
)

ROUTES = [
    *crud(
        "/contacts",
        "contact_id",
        "contacts",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route("POST", "/contacts/{contact_id}/active", "contacts.CREATE", _mark("active")),
    Route("POST", "/contacts/{contact_id}/inactive", "contacts.CREATE", _mark("inactive")),
    Route("PUT", "/contacts/contactpersons/{contact_person_id}", "contacts.UPDATE", _update_person),
    Route("GET", "/contacts/{contact_id}/address", "contacts.READ", _addresses),
    Route("POST", "/contacts/{contact_id}/address", "contacts.CREATE", _add_address),
]
