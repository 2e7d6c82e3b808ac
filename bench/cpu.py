"""CPU time by process, as Linux counts it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _CSTIME = 11, 14  # of the fields after the command's name: user, system, and both of ended children


def seconds(pid: int) -> float:
    """User and system time of a process, its threads and its ended children until now (10 ms steps)."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[_UTIME : _CSTIME + 1]) / _TICKS


class Meter:
    """CPU seconds of several processes since it was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._begun = {name: seconds(pid) for name, pid in self._pids.items()}

    def read(self) -> dict[str, float]:
        """Seconds by the process's name."""
        return {name: seconds(pid) - self._begun[name] for name, pid in self._pids.items()}
