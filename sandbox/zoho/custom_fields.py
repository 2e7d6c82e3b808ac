"""Custom fields: named in requests by id, label or api_name; answered as a list and as a hash."""

from __future__ import annotations

from sandbox.zoho import errors
from sandbox.zoho.records import rows, text
from sandbox.zoho.routing import Call
from sandbox.zoho.wire import Row


def read(call: Call, body: Row, entity: str, before: Row | None = None) -> Row:
    """`custom_fields` and `custom_field_hash` of a record, values of `before` kept where the body is silent."""
    values = dict(before["custom_field_hash"]) if before else {}
    defined = [field for field in call.org.settings["custom_fields"] if field["entity"] == entity]
    for given in rows(body, "custom_fields"):
        field = _named(call, defined, given)
        if field is not None:
            values[field["api_name"]] = text(given, "value")
    return {
        "custom_fields": [
            {**_shown(field), "value": values[field["api_name"]]} for field in defined if field["api_name"] in values
        ],
        "custom_field_hash": values,
    }


def _shown(field: Row) -> Row:
    return {name: value for name, value in field.items() if name != "entity"}


def _named(call: Call, defined: list[Row], given: Row) -> Row | None:
    names = ["customfield_id", "label", "index"]
    if call.switches.custom_field_api_name_accepted:
        names.append("api_name")
    for field in defined:
        if any(name in given and str(given[name]) == str(field[name]) for name in names):
            return field
    if call.switches.unknown_custom_field_refused:
        raise errors.unknown_custom_field()
    return None
