"""The end of a process: everything written, the right code, no finalisation."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import execute

HEAD = "import atexit, sys\nfrom cli.ending import run_to_end\n"


@pytest.mark.parametrize(
    ("body", "code", "err"),
    [
        ("return 0", 0, ""),
        ("return 7", 7, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no')", 1, "no"),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise ValueError('defect')", 1, "ValueError: defect"),
    ],
)
async def test_every_way_out_has_its_code(tmp_path: Path, body: str, code: int, err: str) -> None:
    """Returning, exiting, Ctrl-C and a defect each end with their own code, and a defect is shown."""
    ended = await execute([sys.executable, "-c", f"{HEAD}def main(): {body}\nrun_to_end(main)"], {}, tmp_path)
    assert ended.code == code
    assert err in ended.err


async def test_what_was_written_is_flushed_and_exit_handlers_run(tmp_path: Path) -> None:
    """Output that sat in a buffer and exit handlers survive the hard exit."""
    code = (
        f"{HEAD}atexit.register(lambda: sys.stdout.write('handler '))\n"
        "def main():\n    sys.stdout.write('buffered ')\n    return 0\nrun_to_end(main)"
    )
    ended = await execute([sys.executable, "-c", code], {}, tmp_path)
    assert ended.out == "buffered handler "


async def test_a_reader_that_left_is_no_defect(tmp_path: Path) -> None:
    """`throughline … | head` ends quietly, with the code a shell gives for a reader that had enough."""
    code = f"{HEAD}def main():\n    while True:\n        sys.stdout.write('x' * 10_000)\nrun_to_end(main)"
    shell = ["bash", "-c", f'"{sys.executable}" -c "$0" | head -c 1; exit ${{PIPESTATUS[0]}}', code]
    ended = await execute(shell, {}, tmp_path)
    assert (ended.code, ended.out, ended.err) == (141, "x", "")
