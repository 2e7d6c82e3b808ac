"""Makes `.venv` with every pinned dependency and the project itself; later it only compares a stamp.

Runs before anything is installed, so it uses the standard library alone. Exit 1 with what failed, why, and
what to type.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "throughline-stamp.json"
HOME = ROOT / ".throughline"
LOG = HOME / "bootstrap.log"

# What pip's last words mean, and what to do about it: the first that matches is told.
CURES = (
    ("No module named venv", "install your system's python3-venv package"),
    ("ensurepip is not available", "install your system's python3-venv package"),
    (
        "DO NOT MATCH THE HASHES",
        "a package index served another file than was locked: try another index, or run make lock",
    ),
    (
        "No matching distribution",
        "your package index lacks a pinned version: try another index (PIP_INDEX_URL)",
    ),
    ("CERTIFICATE_VERIFY_FAILED", "tell pip your network's certificate: export PIP_CERT=/path/to/ca.crt"),
    (
        "Connection",
        "check the network or the proxy (HTTPS_PROXY), or name an index that you reach: PIP_INDEX_URL",
    ),
    ("No space left", "free about 600 MB of disk"),
    ("Permission denied", "make this folder writable for you, or clone the project where it is"),
)


class StepFailed(Exception):
    """A step of the installation failed; carries its name and what the program printed."""

    def __init__(self, step: str, output: str) -> None:
        super().__init__(step)
        self.step = step
        self.output = output


def stamp() -> dict[str, str]:
    """What the environment was made from; any difference means it has to be made again."""
    sources = (ROOT / "requirements.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return {"sources": hashlib.sha256(sources).hexdigest(), "root": str(ROOT)}


def written_stamp() -> dict[str, str]:
    """The stamp of the environment that is there, empty where none was finished."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_ready() -> bool:
    """True where the environment fits and its interpreter still exists."""
    return written_stamp() == stamp() and PYTHON.exists()


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(step: str, *command: str) -> None:
    """Runs one step with its output in the log and the seconds ticking on a terminal."""
    started = time.monotonic()
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, errors="replace"
        )
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line)
            log.write(line)
            show(step, time.monotonic() - started, line)
    if process.wait() != 0:
        raise StepFailed(step, "".join(lines))
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    say(f"{clear}{step}: done in {time.monotonic() - started:.0f} s")


def show(step: str, seconds: float, line: str) -> None:
    """The step's newest line, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{step} [{seconds:.0f} s] {line.strip()[:80]}")
        sys.stderr.flush()


def is_usable() -> bool:
    """True where an environment of a fitting Python is there already, made for this very folder."""
    if written_stamp().get("root", str(ROOT)) != str(ROOT) or not PYTHON.exists():
        return False
    probe = "import pip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))"
    return subprocess.run([str(PYTHON), "-c", probe], capture_output=True, check=False).returncode == 0


def install() -> None:
    """Makes the environment; a half-made one is gone over again, never trusted."""
    usable = is_usable()
    STAMP.unlink(missing_ok=True)
    if not usable:
        base = str(getattr(sys, "_base_executable", None) or sys.executable)
        run("Making .venv", base, "-m", "venv", "--clear", str(VENV))
    pip = (str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--no-input")
    say("Installing the pinned dependencies (about 70 packages, once) ...")
    run("Dependencies", *pip, "--require-hashes", "-r", "requirements.lock")
    run("Throughline itself", *pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    STAMP.write_text(json.dumps(stamp()))


@contextmanager
def only_one() -> Iterator[None]:
    """Holds the lock that keeps two commands from installing into one environment at once."""
    HOME.mkdir(exist_ok=True)
    with (HOME / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is preparing .venv; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def explain(failure: StepFailed) -> None:
    """What failed, why, and what to type."""
    tail = failure.output.strip().splitlines()[-8:]
    cure = next((cure for sign, cure in CURES if sign in failure.output), f"read {LOG}")
    say(f"\n{failure.step} failed:")
    for line in tail:
        say(f"    {line}")
    say(f"What to do: {cure}; then type the same command again. The whole output is in {LOG}.")


def main() -> int:
    """0 when the environment is ready."""
    os.chdir(ROOT)
    try:
        if is_ready():
            return 0
        with only_one():
            if not is_ready():
                LOG.unlink(missing_ok=True)
                install()
    except StepFailed as failure:
        explain(failure)
        return 1
    except OSError as error:
        say(f"Preparing .venv failed: {error}. Make {ROOT} writable, with 600 MB free, and type it again.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
