"""From a method and a path to the handler of an operation, and what the handler is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sandbox.zoho import errors
from sandbox.zoho.switches import Switches
from sandbox.zoho.tables import Table
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization, World


@dataclass(frozen=True)
class Answer:
    """Envelope fields besides code and message; a `location` makes it a 201."""

    message: str
    fields: Row = field(default_factory=dict)
    location: str = ""


@dataclass(frozen=True)
class Call:
    """One request, admitted and parsed. `arrived` in seconds since 1970, before any waiting."""

    world: World
    org: Organization
    params: dict[str, str]
    query: dict[str, str]
    body: Row
    arrived: float

    @property
    def switches(self) -> Switches:
        """The positions that hold for this organisation."""
        return self.org.switches

    def table(self, name: str) -> Table:
        """The organisation's records of one kind."""
        return self.org.tables[name]

    def row(self, table: str, name: str, noun: str) -> Row:
        """The record that the path names; refuses with 1002 where there is none."""
        row = self.table(table).get(self.params[name])
        if row is None:
            raise errors.missing(noun)
        return row


Handler = Callable[[Call], Answer]
INVENTORY, BOOKS = "ZohoInventory", "ZohoBooks"


@dataclass(frozen=True)
class Route:
    """An operation: `template` like /contacts/{contact_id}, `scope` like contacts.READ.

    `family` is whose scopes those are, and so which of Zoho's apps answers.
    """

    method: str
    template: str
    scope: str
    handler: Handler
    family: str = INVENTORY

    @property
    def operation(self) -> str:
        """`POST /contacts/{contact_id}/active`."""
        return f"{self.method} {self.template}"


def crud(path: str, key: str, scope: str, *, family: str = INVENTORY, **handlers: Handler) -> list[Route]:
    """The usual routes of a resource: create, index, read, update, delete, as far as they are given."""
    shapes = {
        "create": ("POST", path, "CREATE"),
        "index": ("GET", path, "READ"),
        "read": ("GET", f"{path}/{{{key}}}", "READ"),
        "update": ("PUT", f"{path}/{{{key}}}", "UPDATE"),
        "delete": ("DELETE", f"{path}/{{{key}}}", "DELETE"),
    }
    routes = []
    for name, handler in handlers.items():
        method, template, right = shapes[name]
        routes.append(Route(method, template, f"{scope}.{right}", handler, family))
    return routes


class Router:
    """Finds routes; a literal segment wins over a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int, str], list[tuple[list[str], Route]]] = {}
        for route in routes:
            segments = route.template.strip("/").split("/")
            self._routes.setdefault((route.method, len(segments), segments[0]), []).append((segments, route))
        for found in self._routes.values():
            found.sort(key=lambda pair: [segment.startswith("{") for segment in pair[0]])

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of `path` and its parameters; refuses with 5 where there is none."""
        segments = path.strip("/").split("/")
        for pattern, route in self._routes.get((method, len(segments), segments[0]), ()):
            if all(p == s or p.startswith("{") for p, s in zip(pattern, segments, strict=True)):
                pairs = zip(pattern, segments, strict=True)
                return route, {p[1:-1]: s for p, s in pairs if p.startswith("{")}
        raise errors.invalid_url()
