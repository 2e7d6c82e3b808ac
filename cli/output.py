"""What commands show: results on stdout as a table or as JSON, talk on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from cli.exits import Exit, Stop

PIPED_WIDTH = 1_000  # no terminal says how many columns there are: what is looked for in a line is not folded


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


def say(text: str) -> None:
    """A line of talk for the person, on stderr so that results can be piped."""
    typer.echo(text, err=True)


def show_rows(rows: Sequence[Mapping[str, str]], columns: Mapping[str, str], form: Format, title: str = "") -> None:
    """`rows` under `columns` (key -> heading), or as a JSON list of objects with exactly these keys."""
    if form is Format.JSON:
        show_json([{key: row.get(key, "") for key in columns} for row in rows])
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(row.get(key, "") for key in columns))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def show_json(value: Any) -> None:
    """`value` as indented JSON; what JSON lacks (Decimal, times) as text."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def write_out(text: str, to: Path | None) -> None:
    """`text` into the file `to`, or to stdout. Stop where the file cannot be written."""
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{to} cannot be written ({error.strerror}).", Exit.USAGE) from None
