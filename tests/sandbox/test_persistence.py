"""Collections remember through a file what was committed, in order and exactly."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.persistence import Database


def test_documents_come_back_in_their_order_and_type(tmp_path: Path) -> None:
    """Order of first insertion, decimals, changes in place and deletions survive."""
    first = Database(tmp_path / "state.db")
    rows = first.collection("orders")
    rows["b"] = {"rate": Decimal("1.10"), "lines": [1, None, "x"]}
    rows["a"] = {"rate": Decimal("0.000001")}
    rows["gone"] = {}
    rows["b"]["lines"].append(2)
    rows.save("b")
    del rows["gone"]
    first.close()

    again = Database(tmp_path / "state.db").collection("orders")
    assert list(again.items()) == [
        ("b", {"rate": Decimal("1.10"), "lines": [1, None, "x", 2]}),
        ("a", {"rate": Decimal("0.000001")}),
    ]
    again["c"] = {}
    assert list(again) == ["b", "a", "c"]


def test_what_was_not_committed_is_not_there(tmp_path: Path) -> None:
    """A reader sees only what `commit` let out."""
    database = Database(tmp_path / "state.db")
    database.collection("orders")["a"] = {"n": 1}
    assert list(Database(tmp_path / "state.db").collection("orders")) == []
    database.commit()
    assert list(Database(tmp_path / "state.db").collection("orders")) == ["a"]


def test_clear_empties_memory_and_file(tmp_path: Path) -> None:
    """Also the collections nobody opened this time."""
    database = Database(tmp_path / "state.db")
    database.collection("orders")["a"] = {}
    database.close()
    database = Database(tmp_path / "state.db")
    database.clear()
    database.close()
    assert list(Database(tmp_path / "state.db").collection("orders")) == []


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    """In memory the same calls work and leave no file; what is no document is refused only where there is a file."""
    database = Database()
    database.collection("orders")["a"] = {"n": 1}
    database.commit()
    database.clear()
    assert list(database.collection("orders")) == []
    with pytest.raises(TypeError):
        Database(tmp_path / "state.db").collection("orders")["a"] = {"n": object()}
