"""Child processes that end with their parent, whatever ends the parent."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1


class Child:
    """One running program in a process group of its own, its output in a file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path | None) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    def spawn(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Starts `command`, appending its output to `log`, or to our own. OSError where it cannot.

        `env` is its whole environment, ours where there is none.
        On Linux the kernel ends the child when the calling thread is gone, so call it from the main thread;
        elsewhere our exit handler does.
        """
        with _output(log) as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which ends its children in order
                preexec_fn=_die_with_parent(),
            )
        child = cls(name, process, log)
        atexit.register(child.kill)
        return child

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with, None while it runs; a signal is negative."""
        return self._process.poll()

    def tail(self, lines: int = 5) -> str:
        """The last lines of its output, "" where that is not kept."""
        if self.log is None:
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.to_thread(self._process.wait)

    async def stop(self, within: float = 10.0) -> int:
        """SIGTERM, then SIGKILL after `within` seconds; the exit code."""
        if self.exit_code is None:
            self._signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self._process.wait, within)
        except subprocess.TimeoutExpired:
            self.kill()
            return await self.wait()
        finally:
            atexit.unregister(self.kill)

    def kill(self) -> None:
        """SIGKILL to its whole process group, now; nothing where it has ended."""
        if self.exit_code is None:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self._process.pid, number)


@contextmanager
def _output(log: Path | None) -> Iterator[BinaryIO | None]:
    """The opened log, None for the parent's own output."""
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        yield file


def _die_with_parent() -> Callable[[], None] | None:
    """What the child runs before its program: asks the kernel for SIGTERM when its parent dies."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # loaded here: after the fork only the call itself is safe
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
