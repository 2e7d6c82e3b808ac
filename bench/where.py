"""On what it was measured: without it no figure means anything."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cli.temporal_binary import server_version


def where(binary: Path) -> dict[str, str]:
    """Machine, load before the first measurement, and versions, in words."""
    load, _, _ = os.getloadavg()
    server = ".".join(map(str, server_version(binary)))
    libraries = ", ".join(f"{name} {version(name)}" for name in ("temporalio", "aiohttp", "httpx", "stripe"))
    return {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Machine": f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.machine()}",
        "Load before": f"{load:.1f} (other programs' work on the same cores makes every figure worse)",
        "Temporal": f"dev server {server} on a SQLite file with WAL, on the same cores",
        "Python": f"{platform.python_version()}, {libraries}, SQLite {sqlite3.sqlite_version}",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
