"""What leaves the sandbox: hidden fields left out, what was asked for by `expand` filled in.

In a stored object a field `_x` is ours and never shown, a field `+x` is Stripe's and shown only when expanded.
`_may_lack` names fields that may be expanded also while the object has none of them.
"""

from __future__ import annotations

from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.tables import Doc, Tables

Wanted = dict[str, Any]
PLAIN: Wanted = {}


def wanted(paths: list[str] | None) -> Wanted:
    """The tree of `expand` paths; ApiError beyond the four levels Stripe allows."""
    tree: Wanted = {}
    for path in paths or []:
        parts = path.split(".")
        if len(parts) - (parts[0] == "data") > 4:
            raise ApiError(f"You cannot expand more than 4 levels of a property: {path}", param="expand")
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
    return tree


def render(value: Any, tables: Tables, wants: Wanted = PLAIN, path: str = "") -> Any:
    """A copy of a stored value as Stripe shows it; ApiError for a path that cannot be expanded."""
    if isinstance(value, list):
        return [render(row, tables, wants, path) for row in value]
    if not isinstance(value, dict):
        return value
    shown: Doc = {}
    for name, below in value.items():
        if name == "metadata":
            shown[name] = dict(below) if below is not None else None
        elif name[0] == "_":
            continue
        elif name[0] == "+":
            if name[1:] in wants:
                shown[name[1:]] = render(below, tables, wants[name[1:]], f"{path}{name[1:]}.")
        elif wants and name in wants:
            shown[name] = _expanded(name, below, tables, wants[name], path)
        else:
            shown[name] = render(below, tables) if isinstance(below, (dict, list)) else below
    for name in wants:
        if name not in shown and name not in value.get("_may_lack", ()):
            raise _refused(path + name)
    return shown


def _expanded(name: str, value: Any, tables: Tables, wants: Wanted, path: str) -> Any:
    here = f"{path}{name}."
    if isinstance(value, (int, float)):
        raise _refused(path + name)
    if not isinstance(value, str):
        return render(value, tables, wants, here)
    # Coupons are named by the shop: their ids have no prefix.
    table = tables["coupons"] if name == "coupon" else tables.of_id(value) if name != "id" else None
    doc = table.get(value) if table is not None else None
    # An invoice line names its product as a plain string, unlike its price.
    if doc is None or (path.endswith("price_details.") and name == "product"):
        raise _refused(path + name)
    return render(doc, tables, wants, here)


def _refused(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")
