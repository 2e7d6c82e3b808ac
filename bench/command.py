"""How a bench is asked for and how it ends: options, a sentence instead of a traceback, a place on the page."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from bench.report import Sheet, put_down, show
from cli.exits import CannotStart
from cli.output import say

DOCUMENT = Path("docs/benchmarks.md")

Found = TypeVar("Found")


def on_linux() -> None:
    """SystemExit with the reason elsewhere."""
    if not sys.platform.startswith("linux"):
        raise SystemExit("The benchmarks read CPU times from /proc, so they need Linux.")


def options(name: str, says: str, home: str = "bench") -> argparse.ArgumentParser:
    """Those of `python -m bench.<name>`: at first only the folder that it works in."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}".rstrip("."), description=says)
    folder = Path(".throughline") / home
    parser.add_argument("--home", type=Path, default=folder, help="a folder to work in; emptied")
    return parser


def measured(measuring: Coroutine[Any, Any, Found]) -> Found:
    """What was found; SystemExit with a sentence about what did not come up."""
    try:
        return asyncio.run(measuring)
    except CannotStart as reason:
        raise SystemExit(str(reason)) from None


def told(tables: list[Sheet], begin: str, end: str, *, kept: bool) -> int:
    """Shows the tables and, where they are to be `kept`, puts them between the marks of the page of figures; 0."""
    show(tables)
    if kept:
        put_down(tables, DOCUMENT, begin, end)
        say(f"Written to {DOCUMENT}.")
    return 0
