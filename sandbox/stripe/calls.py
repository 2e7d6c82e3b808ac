"""What a call of Stripe's API is, and what most endpoints do with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sandbox.stripe import catalog, searching
from sandbox.stripe.paging import made_within, page
from sandbox.stripe.parameters import Spec
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World


@dataclass(frozen=True)
class Call:
    """One authenticated request: checked parameters and the ids in its path."""

    world: World
    account: str
    params: Doc
    path: str
    ids: Mapping[str, str]
    delivered: Callable[[str], bool]

    def doc(self, table: str) -> Doc:
        """The object the path names."""
        return self.world.need(table, self.ids["id"], self.account)


PAGING = ("limit", "starting_after", "ending_before", "created", "expand")
Handler = Callable[[Call], Doc]


@dataclass(frozen=True)
class Endpoint:
    """One method of one path, the parameters it takes and what it does."""

    method: str
    path: str
    spec: Mapping[str, Spec]
    handler: Handler


def retrieve(table: str) -> Handler:
    """The object that the path names."""
    return lambda call: call.doc(table)


def create(make: Callable[[World, str, Doc], Doc]) -> Handler:
    """A new object, made of the parameters."""
    return lambda call: make(call.world, call.account, call.params)


def change(table: str, how: Callable[[World, Doc, Doc], Doc]) -> Handler:
    """The object that the path names, after `how` was done to it."""
    return lambda call: how(call.world, call.doc(table), call.params)


def update(table: str, event: str | None = None) -> Handler:
    """The object that the path names, with the parameters as its fields; `event` tells of it."""

    def handler(call: Call) -> Doc:
        changes = {name: value for name, value in call.params.items() if name not in ("metadata", "expand")}
        if "shipping" in changes:
            changes["shipping"] = catalog.shipping(changes["shipping"])
        return catalog.apply_update(call.world, table, call.doc(table), call.params, changes, event)

    return handler


def rows_of(table: str, hidden: Mapping[str, str] | None = None) -> Handler:
    """A list filtered by equality; `hidden` maps a parameter to the field it is kept in."""

    def handler(call: Call) -> Doc:
        given = {name: value for name, value in call.params.items() if value is not None}
        plain = {name: given[name] for name in given if name not in PAGING}
        fields = {(hidden or {}).get(name, name): value for name, value in plain.items()}
        rows = call.world.table(table).find(newest_first=True, _account=call.account, **fields)
        return a_page(call, made_within(rows, given.get("created")), call.world.table(table).word)

    return handler


def search(table: str) -> Handler:
    """The objects that match the query."""

    def handler(call: Call) -> Doc:
        rows = call.world.table(table).find(newest_first=True, _account=call.account)
        found = searching.found(rows, call.params["query"])
        return searching.result(found, call.params.get("limit"), call.path)

    return handler


def a_page(call: Call, rows: Iterable[Doc], word: str) -> Doc:
    """Of these rows, each called `word`, the page that was asked for."""
    return page(rows, call.params, call.path, word, most=call.world.switches.rows_of_a_page)


def lines_of(table: str) -> Handler:
    """The lines of the object that the path names."""
    return lambda call: a_page(call, call.doc(table)["_lines"], "line item")
