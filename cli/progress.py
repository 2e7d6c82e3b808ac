"""How far long work is: a bar on the terminal, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def bar(words: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar under `words` on stderr, gone at the end; what is yielded takes how many are done of `total`, None while
    nobody knows. Nothing is shown where stderr is no terminal.
    """
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        task = shown.add_task(words, total=total)
        yield lambda done: shown.update(task, completed=done)
