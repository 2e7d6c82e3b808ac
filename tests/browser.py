"""`python -m tests.browser`: a Chromium for the test that prints a page, got by apt where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress

from cli.month_page import BROWSERS

PATIENCE = 300  # seconds for apt, which may sit behind a network that never answers
INSTALL = ("apt-get", "-qq", "install", "--yes", "--no-install-recommends", "chromium")


def found() -> bool:
    """Whether this machine has a browser that prints."""
    return any(shutil.which(one) for one in BROWSERS)


def main() -> None:
    """Says what to install where apt cannot do it; then that one test fails in the same words, and all others run."""
    if not found() and shutil.which("apt-get") and os.geteuid() == 0:
        sys.stderr.write("Installing chromium for the test that prints a page (once) ...\n")
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (("apt-get", "-qq", "update"), INSTALL):
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False, timeout=PATIENCE)
    if not found():
        sys.stderr.write("There is no Chromium: the test that prints a page will fail. Install chromium.\n")


if __name__ == "__main__":
    main()
