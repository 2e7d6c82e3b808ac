"""What every record has: an id, times, and fields read strictly from a request."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.zoho import errors
from sandbox.zoho.routing import Call
from sandbox.zoho.tables import Table
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization


def born(org: Organization) -> Row:
    """The times of a new record; `_created` and `_modified` in seconds since 1970."""
    now, at = org.world.now(), org.stamp()
    return {"created_time": at, "last_modified_time": at, "_created": now, "_modified": now}


def unshown_times(org: Organization) -> Row:
    """The times of a new record that shows none."""
    return {name: value for name, value in born(org).items() if name.startswith("_")}


def touch(org: Organization, table: Table, row_id: str) -> None:
    """Saves a changed record and notes the time."""
    row = table.get(row_id)
    if row is not None:
        row["last_modified_time"], row["_modified"] = org.stamp(), org.world.now()
        table.save(row_id)


def text(body: Row, name: str, default: str = "", most: int | None = None) -> str:
    """A text field; refuses what is longer than `most` or no text."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, Decimal):
        value = str(value)
    if not isinstance(value, str):
        raise errors.invalid_value(name)
    if most is not None and len(value) > most:
        raise errors.too_long(name, most)
    return value


def number(body: Row, name: str, default: Decimal = Decimal(0)) -> Decimal:
    """A number, also where it is written as a text."""
    value: Any = body.get(name)
    if value is None or value == "":
        return default
    try:
        result = Decimal(value)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise errors.invalid_value(name) from error
    if isinstance(value, bool) or not result.is_finite():
        raise errors.invalid_value(name)
    return result


def flag(body: Row, name: str, default: bool) -> bool:
    """true or false, also where it is written as a text."""
    value = body.get(name, default)
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise errors.invalid_value(name)
    return value


def rows(body: Row, name: str) -> list[Row]:
    """A list of objects."""
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise errors.invalid_value(name)
    return value


def required(body: Row, *names: str) -> None:
    """Refuses a body that leaves one of the fields out."""
    for name in names:
        if body.get(name) in (None, "", []):
            raise errors.mandatory(name)


def refer(call: Call, table: str, body: Row, name: str, noun: str) -> Row:
    """The record that a field of the body names; refuses with 1002 where there is none."""
    row = call.table(table).get(text(body, name))
    if row is None:
        raise errors.missing(noun)
    return row
