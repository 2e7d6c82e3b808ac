"""What an item's details say of its stock."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clients.zoho.records.stock import Item
from clients.zoho.translation.goods import item_stock

STOCKED = {"item_id": "1", "sku": "MUG", "item_type": "inventory"}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"available_for_sale_stock": 7, "stock_on_hand": 9, "committed_stock": 1}, Decimal(7)),
        ({"stock_on_hand": 9, "committed_stock": 4}, Decimal(5)),
        ({"stock_on_hand": 9}, None),
        ({"available_for_sale_stock": -2}, Decimal(-2)),
    ],
)
def test_what_is_left_for_sale_is_told_or_not_known(said: dict[str, object], left: Decimal | None) -> None:
    """On hand less committed, as Zoho computes it or as it tells both; on hand alone says nothing."""
    assert item_stock(Item.model_validate(STOCKED | said)).left == left


@pytest.mark.parametrize(
    ("said", "tracked", "moves"),
    [
        ({}, True, True),
        ({"item_type": "sales"}, False, False),
        ({"item_type": "inventory", "track_inventory": False}, False, False),
        ({"item_type": "sales", "track_inventory": True}, True, True),
        ({"item_type": "sales", "is_combo_product": True}, False, True),
    ],
)
def test_whose_stock_documents_move(said: dict[str, object], tracked: bool, moves: bool) -> None:
    """An item that is tracked, and one that Zoho makes of others: neither may be adjusted on top."""
    found = item_stock(Item.model_validate(STOCKED | said))
    assert (found.tracked, found.moves_stock) == (tracked, moves)
