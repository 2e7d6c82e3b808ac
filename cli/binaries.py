"""Programs that we need and do not bring along: the user's own first, then our cache, else got once and kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

Say = Callable[[str], None]
Get = Callable[[Path, Say], None]


@dataclass(frozen=True)
class Wanted:
    """A program at a version of ours. `title` names it for people.

    It is looked for where `variable` says, then on PATH as `command`; `objection` says what is wrong with a file that
    was found there, "" for nothing.
    """

    title: str
    name: str
    version: str
    variable: str
    command: str
    objection: Callable[[Path], str]


def cache_dir() -> Path:
    """Where this user's finished binaries are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "throughline"


def find_or_get(wanted: Wanted, get: Get, say: Say) -> Path:
    """The path of the program; `get` brings it to the path it is given, and raises where it cannot."""
    mine = _installed(wanted, say)
    if mine is not None:
        return mine
    target = cache_dir() / f"{wanted.name}-{wanted.version}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(wanted, target, say):
        if not target.exists():
            get(target, say)
    return target


def _installed(wanted: Wanted, say: Say) -> Path | None:
    """The user's own binary: the variable, then PATH, each only where nothing is wrong with it."""
    named = os.environ.get(wanted.variable, "")
    for source, found in ((wanted.variable, named), ("PATH", shutil.which(wanted.command))):
        if not found:
            continue
        objection = wanted.objection(Path(found))
        if not objection:
            return Path(found)
        say(f"{source} names {found}, {objection}")
    return None


@contextmanager
def _alone(wanted: Wanted, target: Path, say: Say) -> Iterator[None]:
    """Holds the lock of this binary, so that two commands at once never build it twice."""
    lock = FileLock(f"{target}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another command is getting {wanted.title}; waiting for it ...")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
