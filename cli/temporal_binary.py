"""Finds or gets the Temporal CLI, which is the dev server: yours, our cache, the download, or a build.

`python -m cli.temporal_binary` does it from the shell and prints the path.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cli import binaries
from cli.binaries import Get, Say
from cli.ending import run_to_end
from cli.exits import CannotStart
from cli.go_build import TEMPORAL, BuildFailed, build

VERSION = "1.8.2"
SERVER_FLOOR = (1, 31)  # the first server with priorities on, fairness, and rate limits by key
DOWNLOAD_SILENCE = 12.0  # seconds without a byte until the download is given up


class NoTemporal(CannotStart):
    """There is no Temporal CLI and none could be got; the message says what to type."""


def find_or_get(say: Say, *, get: Get | None = None) -> Path:
    """The path of a Temporal CLI that is new enough; NoTemporal with the reasons where every way failed.

    `get` brings the binary to the path it is given: the download or the build, unless told otherwise.
    """
    return binaries.find_or_get(_WANTED, get or _get, say)


def _objection(binary: Path) -> str:
    """What is wrong with a CLI whose server is too old, or is none."""
    version = server_version(binary)
    if version >= SERVER_FLOOR:
        return ""
    floor = ".".join(map(str, SERVER_FLOOR))
    shown = ".".join(map(str, version)) if version else "no"
    return f"which has {shown} Temporal server inside; {floor} or newer is needed."


_WANTED = binaries.Wanted(
    title="the Temporal server",
    name="temporal",
    version=VERSION,
    variable="TEMPORAL_CLI",
    command="temporal",
    objection=_objection,
)


def server_version(binary: Path) -> tuple[int, ...]:
    """The server version inside a Temporal CLI, () where it does not run or does not say."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"Server (\d+)\.(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in match.groups()) if match else ()


def _get(target: Path, say: Say) -> None:
    """Downloads or builds into a folder beside the target, tries the result, then renames it."""
    with tempfile.TemporaryDirectory(prefix="temporal-", dir=target.parent) as folder:
        binary = _download(Path(folder), say)
        if binary is None:
            say("No official binary, so the Temporal server is built from source: about 4 minutes, once.")
            binary = Path(folder) / "temporal"
            try:
                build(TEMPORAL, binary, VERSION, Path(folder), say)
            except BuildFailed as failure:
                raise NoTemporal(f"{failure}\n{CURE}") from failure
        if server_version(binary) < SERVER_FLOOR:
            raise NoTemporal(f"The Temporal CLI that was got does not run here ({platform.platform()}).\n{CURE}")
        binary.chmod(0o755)
        binary.rename(target)
        say(f"Temporal CLI {VERSION} is ready: {target}")


CURE = "What to do: install the Temporal CLI (docs.temporal.io/cli) and set TEMPORAL_CLI=/path/to/temporal."


def _download(folder: Path, say: Say) -> Path | None:
    """The official binary, None where the network does not give it; ends when no byte came for a while."""
    say(f"Looking for the official Temporal CLI {VERSION} ...")
    command = [sys.executable, "-m", "cli.temporal_download", str(folder), f"v{VERSION}"]
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(command, stderr=errors, cwd=root) as child:
        if not _watched(child, folder, say):
            child.kill()
            say(f"The official download gave nothing for {DOWNLOAD_SILENCE:.0f} s.")
            return None
        errors.seek(0)
        reason = errors.read().strip()
    if child.returncode:
        last = reason.splitlines()[-1] if reason else "no reason given"
        say(f"The official download is out of reach: {last}")
        return None
    return next((path for path in folder.iterdir() if path.stat().st_size > 1_000_000), None)


def _watched(child: subprocess.Popen[bytes], folder: Path, say: Say) -> bool:
    """Waits for the download, telling its size; False when nothing came for too long."""
    size, since, told = 0, time.monotonic(), time.monotonic()
    while child.poll() is None:
        time.sleep(0.1)
        now = time.monotonic()
        held = sum(path.stat().st_size for path in folder.glob("*"))
        if held != size:
            size, since = held, now
        if size and now - told > 2:
            say(f"Downloading the Temporal CLI: {size / 1e6:.0f} MB")
            told = now
        if now - since > DOWNLOAD_SILENCE:
            return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """0 with the path on stdout; 1 with a sentence."""
    try:
        path = find_or_get(_say)
    except NoTemporal as reason:
        _say(str(reason))
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    run_to_end(main)
