"""`python -m tests.faults`: the table of singles (`--write`: into docs/proof.md), or of pairs (`--pairs 500 | all`)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from cli.ending import end
from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from clients.temporal import connect
from tests.faults.faults import FAULTS
from tests.faults.kinds import KINDS
from tests.faults.singles import Found, record, suffer_all
from tests.faults.table import pairs, singles, take, untried, write


def _count(text: str) -> int | None:
    return None if text == "all" else int(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/proof.md")
    parser.add_argument("--untried", action="store_true", help="only the cells that docs/proof.md shows as ?")
    parser.add_argument("--pairs", type=_count, default=0, metavar="N|all", help="two faults of one payment each")
    parser.add_argument("--seed", type=int, default=1, help="of the pairs that are drawn")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind; may be given again")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only this fault; may be given again")
    parser.add_argument("--only", default="", help="kinds, calls or faults with this text in their cell, no kills")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _run(wanted: argparse.Namespace, home: Path) -> int:
    binary = await asyncio.to_thread(find_or_get, _say)
    async with TemporalServer(binary, home, database=home / "temporal.db", limits=NO_LIMITS) as server:
        client = await connect(server.address)
        stories = await record(client, home, [KINDS[name] for name in wanted.kind or KINDS])
        if wanted.pairs == 0 and not wanted.only:
            faults = wanted.fault or tuple(FAULTS)
            some = untried if wanted.untried else list
            table = await take(client, binary, home, stories, faults=faults, some=some)
            if wanted.write:
                write(table)
            _say(table.text())
            _say(table.summary())
            return _told(table.found)
        cells = pairs(stories, seed=wanted.seed, count=wanted.pairs) if wanted.pairs != 0 else singles(stories)
        cells = [cell for cell in cells if wanted.only in str(cell) and all(fault.arm for _, fault in cell.faults)]
        began = time.monotonic()
        found = await suffer_all(client, home, stories, cells)
        _say(f"{len(found)} cells in {time.monotonic() - began:.0f} s")
        return _told(found)


def _told(found: Found) -> int:
    """Says what is wrong; the exit code."""
    wrong = {str(cell): lines for cell, lines in found.items() if lines}
    for name, lines in wrong.items():
        _say("\n  ".join([name, *lines[:12]]))
    return 1 if wrong else 0


if __name__ == "__main__":
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # every fault would be told there, with its traceback
    with tempfile.TemporaryDirectory() as folder:
        code = asyncio.run(_run(_arguments(), Path(folder)))
    end(code)
