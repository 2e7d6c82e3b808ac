"""Lists: filters, search, sorting and pages, as `page_context` tells them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.zoho import errors
from sandbox.zoho.routing import Answer, Call
from sandbox.zoho.wire import Row

MOST_ROWS = 200
Present = Callable[[Call, Row], Row]


@dataclass(frozen=True)
class Listing:
    """How one resource is listed: `filters` are the fields whose filters are honoured, others are ignored.

    `only_pages` ignores every wish but the page, also the order of the rows.
    """

    table: str
    key: str
    report: str
    present: Present
    filters: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    only_pages: bool = False

    def answer(self, call: Call) -> Answer:
        """One page of the rows that the query asks for, newest first unless it says otherwise."""
        if self.only_pages:
            call = _without_wishes(call)
        rows = [row for row in self._candidates(call) if self._shows(call, row)]
        return self.page(call, _sorted(call, rows))

    def page(self, call: Call, rows: list[Row]) -> Answer:
        """The page of these rows that the query asks for."""
        page, size = _number(call, "page", 1), min(_number(call, "per_page", MOST_ROWS), MOST_ROWS)
        shown = rows[(page - 1) * size : page * size]
        context = self._context(call, page, size, len(rows) > page * size)
        return Answer("success", {self.key: [self.present(call, row) for row in shown], "page_context": context})

    def _candidates(self, call: Call) -> list[Row]:
        table = call.table(self.table)
        for name in self.filters:
            if call.query.get(name) and table.indexed(name):
                return table.find(name, call.query[name], ignore_case=call.switches.text_ignores_case)
        return table.rows()

    def _shows(self, call: Call, row: Row) -> bool:
        if row["_created"] > call.world.now() - call.switches.list_lag_seconds:
            return False
        for name, value in call.query.items():
            if name == "last_modified_time" and not call.switches.lists_filter_modified:
                continue
            if name in ("search_text", "filter_by", "last_modified_time"):
                fits = _SPECIAL[name](self, row, value)
            else:
                fits = self._fits(call, row, name, value)
            if not fits:
                return False
        return True

    def _fits(self, call: Call, row: Row, name: str, value: str) -> bool:
        for ending, compare in _COMPARE.items():
            field = name.removesuffix(ending)
            if field != name and field in self.filters:
                return compare(row.get(field, ""), value)
        if name not in self.filters or call.table(self.table).indexed(name):
            return True
        return _equal(row.get(name, ""), value, call.switches.text_ignores_case)

    def searched(self, row: Row, text: str) -> bool:
        """Whether any searched field contains the text."""
        return any(text.casefold() in str(row.get(name, "")).casefold() for name in self.search)

    def _context(self, call: Call, page: int, size: int, more: bool) -> Row:
        return {
            "page": page,
            "per_page": size,
            "has_more_page": more,
            "report_name": self.report,
            "applied_filter": call.query.get("filter_by", "Status.All"),
            "custom_fields": [],
            "sort_column": call.query.get("sort_column", "created_time"),
            "sort_order": _order(call),
        }


def _equal(held: Any, value: str, ignore_case: bool) -> bool:
    if isinstance(held, int | Decimal):
        return _decimal(value) == held
    return held.casefold() == value.casefold() if ignore_case else bool(held == value)


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError):
        return None


def _both(held: Any, value: str) -> tuple[Any, Any]:
    number = _decimal(value)
    return (held, number) if isinstance(held, int | Decimal) and number is not None else (str(held), value)


def _less(held: Any, value: str) -> bool:
    left, right = _both(held, value)
    return bool(left < right)


def _greater(held: Any, value: str) -> bool:
    left, right = _both(held, value)
    return bool(left > right)


# Endings of a filter's name and how they compare the row's value with the query's.
_COMPARE: dict[str, Callable[[Any, str], bool]] = {
    "_startswith": lambda held, value: str(held).casefold().startswith(value.casefold()),
    "_contains": lambda held, value: value.casefold() in str(held).casefold(),
    "_less_than": _less,
    "_before": _less,
    "_less_equals": lambda held, value: not _greater(held, value),
    "_end": lambda held, value: not _greater(held, value),
    "_greater_than": _greater,
    "_after": _greater,
    "_greater_equals": lambda held, value: not _less(held, value),
    "_start": lambda held, value: not _less(held, value),
}


def _by_status(listing: Listing, row: Row, value: str) -> bool:
    wanted = value.removeprefix("Status.").casefold()
    return wanted == "all" or str(row.get("status", "")).casefold() == wanted


def _modified_since(listing: Listing, row: Row, value: str) -> bool:
    try:
        return bool(row["_modified"] >= datetime.fromisoformat(value).timestamp())
    except ValueError as error:
        raise errors.invalid_value("last_modified_time") from error


_SPECIAL: dict[str, Callable[[Listing, Row, str], bool]] = {
    "search_text": Listing.searched,
    "filter_by": _by_status,
    "last_modified_time": _modified_since,
}


def _without_wishes(call: Call) -> Call:
    query = {name: value for name, value in call.query.items() if name in ("page", "per_page")}
    query["sort_order"] = "D" if call.switches.return_list_newest_first else "A"
    return replace(call, query=query)


def _order(call: Call) -> str:
    default = "A" if "sort_column" in call.query else "D"
    return "D" if call.query.get("sort_order", default).upper().startswith("D") else "A"


def _sorted(call: Call, rows: list[Row]) -> list[Row]:
    column = call.query.get("sort_column", "created_time")
    if column == "last_modified_time" and not call.switches.lists_sort_modified:
        column = "created_time"
    if column == "last_modified_time":
        rows.sort(key=lambda row: row["_modified"])
    elif column != "created_time":
        rows.sort(key=lambda row: row[column] if isinstance(row.get(column), Decimal) else str(row.get(column)))
    if _order(call) == "D":
        rows.reverse()
    return rows


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isdecimal() and int(text) > 0 else default
