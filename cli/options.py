"""What many commands have in common: their options, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

import typer

from cli.exits import Exit
from cli.output import Format

Output = Annotated[Format, typer.Option("--output", "-o", help="How results are written.")]
ConnectionName = Annotated[str, typer.Option("--connection", "-c", help="The connection's name.")]


def finish(command: Coroutine[Any, Any, Exit]) -> None:
    """Runs the command; its exit code is the process's."""
    raise typer.Exit(int(asyncio.run(command)))
