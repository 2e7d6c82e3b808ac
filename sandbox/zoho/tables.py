"""Records of one kind with indexes, so that a look-up by number, reference or e-mail costs the same at any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sandbox.persistence import Collection
from sandbox.zoho.wire import Row

Keys = Callable[[Row], Iterable[str]]


def field(name: str) -> Keys:
    """Indexes a plain field; "" is not indexed."""
    return lambda row: (row[name],) if row.get(name) else ()


class Table:
    """Rows by id, oldest first, with indexes that ignore letter case; after a change in place call `save`."""

    def __init__(self, documents: Collection, indexes: Mapping[str, Keys]) -> None:
        self._rows = documents
        self._keys = indexes
        self._found: dict[str, dict[str, dict[str, None]]] = {name: {} for name in indexes}
        self._held: dict[str, dict[str, tuple[str, ...]]] = {}
        for row_id in documents:
            self._reindex(row_id)

    def get(self, row_id: str) -> Row | None:
        """The row, or None."""
        row: Row | None = self._rows.get(row_id)
        return row

    def rows(self) -> list[Row]:
        """All rows, oldest first."""
        return list(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def indexed(self, name: str) -> bool:
        """Whether there is an index of that name."""
        return name in self._keys

    def find(self, index: str, value: str, *, ignore_case: bool = True) -> list[Row]:
        """The rows that the index holds under `value`, in the order they came to it."""
        rows = [self._rows[row_id] for row_id in self._found[index].get(value.casefold(), ())]
        return rows if ignore_case else [row for row in rows if value in self._keys[index](row)]

    def put(self, row_id: str, row: Row) -> Row:
        """Adds or replaces a row."""
        self._rows[row_id] = row
        self._reindex(row_id)
        return row

    def save(self, row_id: str) -> None:
        """Writes a row that was changed in place through to file and indexes."""
        self._rows.save(row_id)
        self._reindex(row_id)

    def remove(self, row_id: str) -> None:
        """Forgets a row."""
        self._unindex(row_id)
        del self._rows[row_id]

    def _reindex(self, row_id: str) -> None:
        row = self._rows[row_id]
        keys = {name: tuple(key.casefold() for key in make(row)) for name, make in self._keys.items()}
        if keys == self._held.get(row_id):
            return
        self._unindex(row_id)
        self._held[row_id] = keys
        for name, values in keys.items():
            for value in values:
                self._found[name].setdefault(value, {})[row_id] = None

    def _unindex(self, row_id: str) -> None:
        for name, values in self._held.pop(row_id, {}).items():
            for value in values:
                self._found[name].get(value, {}).pop(row_id, None)
