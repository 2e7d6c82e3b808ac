"""The table of docs/proof.md: kind of payment × call × fault, taken, printed and compared."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from tests.faults.cells import Cell
from tests.faults.faults import FAULTS
from tests.faults.kills import kill_all
from tests.faults.kinds import KINDS
from tests.faults.singles import Found, Stories, suffer_all

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
BEGIN, END = "<!-- the table: python -m tests.faults --write -->", "<!-- end of the table -->"


@dataclass(frozen=True)
class Table:
    """What was recorded, what was found wrong in each cell, and how long all of it took."""

    stories: Stories
    found: Found
    seconds: float
    tried_again: int = 0

    @property
    def violations(self) -> dict[str, list[str]]:
        """The cells in which something is wrong, with what it is."""
        return {str(cell): wrong for cell, wrong in self.found.items() if wrong}

    def summary(self) -> str:
        """How many cells in which time."""
        said = f"{len(self.found)} cells in {self.seconds / 60:.1f} minutes, {len(self.violations)} with a violation"
        return f"{said}, {self.tried_again} tried twice"

    def text(self) -> str:
        """The table as the page has it."""
        return "\n".join(map(self.section, self.stories))

    def section(self, name: str, known: Mapping[tuple[str, str], str] | None = None) -> str:
        """The part of one kind; what was not tried is as `known`, by call and fault."""
        lines = [f"### {name}", "", f"| call | {' | '.join(FAULTS)} |", f"| --- |{' --- |' * len(FAULTS)}"]
        for call in self.stories[name].calls:
            words = (
                self._word(Cell(KINDS[name], ((call, fault),)), (known or {}).get((str(call), fault.name), "?"))
                for fault in FAULTS.values()
            )
            lines.append(f"| {call} | {' | '.join(words)} |")
        return "\n".join([*lines, ""])

    def differences(self, page: str) -> list[str]:
        """Rows and cells that the page has otherwise; cells that were not tried are left to the page, and it may own to
        cells that are yet to be tried."""
        ours, theirs = self.text().splitlines(), page.splitlines()
        wrong = [f"not on the page: {line}" for line in ours if _row(line) not in map(_row, theirs)]
        wrong += [f"no longer recorded: {line}" for line in theirs if _row(line) not in map(_row, ours)]
        # Two runs at once make their calls in either order: rows are compared by kind and call, not by place.
        for mine, its in [] if wrong else zip(sorted(_rows(ours)), sorted(_rows(theirs)), strict=True):
            said = zip(mine.split("|"), its.split("|"), strict=True)
            wrong += [f"{its}: found {one.strip()}" for one, other in said if one != other and _says_more(one, other)]
        return wrong

    def _word(self, cell: Cell, untried: str) -> str:
        ((call, fault),) = cell.faults
        if fault.why_not(cell.kind, call):
            return "n/a"
        return untried if cell not in self.found else "**violation**" if self.found[cell] else "ok"


def _says_more(found: str, page: str) -> bool:
    """Whether a cell differs, and not because it was tried on one side only and is well."""
    return found.strip() != "?" and (page.strip(), found.strip()) != ("?", "ok")


def _row(line: str) -> str:
    """What a line is about: its kind or its call."""
    return line.split("|")[1].strip() if line.startswith("|") else line.strip()


def _rows(lines: Sequence[str]) -> list[str]:
    """The rows, each behind the name of its kind."""
    rows, kind = [], ""
    for line in lines:
        kind = line if line.startswith("### ") else kind
        rows += [f"{kind} {line}"] if line.startswith("|") else []
    return rows


def singles(stories: Stories) -> list[Cell]:
    """Every fault that can happen at every recorded call."""
    return [
        Cell(KINDS[name], ((call, fault),))
        for name, story in stories.items()
        for call in story.calls
        for fault in FAULTS.values()
        if not fault.why_not(KINDS[name], call)
    ]


def once_each(cells: Sequence[Cell]) -> list[Cell]:
    """Of the cells that try one fault at one call in several kinds of payment the first."""
    first: dict[object, Cell] = {}
    for cell in cells:
        first.setdefault(cell.faults, cell)
    return list(first.values())


def drawn(cells: Sequence[Cell], *, seed: int, count: int) -> list[Cell]:
    """`count` of the cells, drawn with `seed`; each call has about as many of its faults among them."""
    by_call: dict[object, list[Cell]] = {}
    for cell in random.Random(seed).sample(cells, len(cells)):
        by_call.setdefault(cell.faults[0][0], []).append(cell)
    rounds = itertools.zip_longest(*by_call.values())
    return [cell for one in rounds for cell in one if cell is not None][:count]


def pairs(stories: Stories, *, seed: int, count: int | None) -> list[Cell]:
    """Two faults of one payment, neither a kill: `count` of them drawn with `seed`, or all."""
    found = []
    for name, story in stories.items():
        ones = [
            cell.faults[0] for cell in singles({name: story}) if cell.faults[0][1].arm and not cell.faults[0][1].back
        ]
        found += [Cell(KINDS[name], two) for two in itertools.combinations(ones, 2) if two[0][0] != two[1][0]]
    return found if count is None else random.Random(seed).sample(found, min(count, len(found)))


async def take(
    client: Client,
    binary: Path,
    home: Path,
    stories: Stories,
    *,
    faults: Collection[str] = tuple(FAULTS),
    some: Callable[[Sequence[Cell]], list[Cell]] = list,
) -> Table:
    """Tries every cell of these faults at the recorded calls, or `some` of them."""
    began = time.monotonic()
    cells = some([cell for cell in singles(stories) if cell.faults[0][1].name in faults])
    found = await _try(client, binary, home, stories, cells)
    # A crowded machine makes a call late that no fault touched: what is wrong for another reason is wrong twice.
    again = [cell for cell in cells if found[cell]]
    (quiet := home / "again").mkdir()
    found |= await _try(client, binary, quiet, stories, again)
    return Table(stories, found, time.monotonic() - began, len(again))


async def _try(client: Client, binary: Path, home: Path, stories: Stories, cells: Sequence[Cell]) -> Found:
    """What is wrong in each cell. While killed workers' calls are waited for, the other faults are tried."""
    found, killed = await asyncio.gather(
        suffer_all(client, home, stories, [cell for cell in cells if cell.faults[0][1].arm]),
        kill_all(binary, home, stories, [cell for cell in cells if not cell.faults[0][1].arm]),
    )
    return {cell: (found | killed)[cell] for cell in cells}


def written() -> str:
    """The table that the page has now."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def _known() -> dict[str, str]:
    """What the page says of each kind."""
    return {part.partition("\n")[0]: f"### {part}" for part in f"\n{written()}\n".split("\n### ")[1:]}


def untried(cells: Sequence[Cell]) -> list[Cell]:
    """Those of the cells that the page owns to as untried, or does not have."""
    said = {name: _words(part) for name, part in _known().items()}

    def word(cell: Cell) -> str:
        ((call, fault),) = cell.faults
        return said.get(cell.kind.name, {}).get((str(call), fault.name), "?")

    return [cell for cell in cells if word(cell) == "?"]


def write(table: Table) -> None:
    """Puts the table into the page; kinds and cells that were not tried keep what the page says of them."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    known = _known()
    parts = [
        table.section(name, _words(known.get(name, ""))) if name in table.stories else known.get(name, "")
        for name in KINDS
    ]
    shown = "\n\n".join(filter(None, map(str.strip, parts)))
    PAGE.write_text(f"{before}{BEGIN}\n\n{shown}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _words(part: str) -> dict[tuple[str, str], str]:
    """What a kind's part of the page says, by call and fault."""
    lines = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line] for line in lines]
    return {(row[0], name): word for row in rows[2:] for name, word in zip(rows[0][1:], row[1:], strict=True)}
