"""What the command's exit codes mean, and how a command stops with a sentence."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, also told by `throughline --help`."""

    OK = 0
    FAILED = 1  # a check or an invariant failed, or what was asked for does not exist
    USAGE = 2
    SETTINGS = 3
    UNREACHABLE = 4  # something that is needed cannot be reached or started


class Stop(Exception):
    """A command cannot go on. The message is a sentence that says why and what to type."""

    code = Exit.FAILED

    def __init__(self, message: str, code: Exit | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class CannotStart(Stop):
    """Something that is needed cannot be reached or started."""

    code = Exit.UNREACHABLE
