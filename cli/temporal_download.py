"""`python -m cli.temporal_download FOLDER VERSION`: fetches the official Temporal CLI into FOLDER.

The official SDK knows where the binary lives and only fetches it by starting it, so this starts it once and
stops it. It runs as a child process: whoever asked can end it when nothing arrives.
"""

from __future__ import annotations

import asyncio
import sys

from cli.ending import run_to_end


async def _fetch(folder: str, version: str) -> None:
    from temporalio.testing import WorkflowEnvironment

    environment = await WorkflowEnvironment.start_local(
        download_dest_dir=folder, dev_server_download_version=version, dev_server_log_level="never"
    )
    await environment.shutdown()


def main() -> int:
    """0 when the binary is in the folder; 1 with the reason on stderr."""
    _, folder, version = sys.argv
    try:
        asyncio.run(_fetch(folder, version))
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    run_to_end(main)
