"""Finding or getting the Temporal CLI: the user's own first, and never got twice."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from cli.binaries import Say
from cli.exits import Exit
from cli.go_build import GO_FLOOR, TEMPORAL, BuildFailed, build, go_version
from cli.temporal_binary import NoTemporal, find_or_get, server_version
from tests.cli.conftest import is_gone, until


def program(path: Path, says: str) -> Path:
    """An executable that prints one line."""
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No Temporal anywhere and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("TEMPORAL_CLI", raising=False)
    return tmp_path


def never(target: Path, say: Say) -> None:
    """Stands for a download that must not be needed."""
    raise AssertionError("nothing had to be got")


def test_the_users_own_binary_goes_first(empty_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TEMPORAL_CLI is taken where its server is new enough."""
    mine = program(empty_machine / "mine", "temporal version 1.9.0 (Server 1.31.0, UI 2.50.1)")
    monkeypatch.setenv("TEMPORAL_CLI", str(mine))
    assert find_or_get(lambda text: None, get=never) == mine


def test_an_old_binary_is_named_and_passed_over(empty_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A binary on PATH with an older server is told of, and the search goes on to the cache."""
    folder = empty_machine / "bin"
    folder.mkdir()
    program(folder / "temporal", "temporal version 1.3.0 (Server 1.27.1, UI 2.36.0)")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    cached = empty_machine / "cache" / "throughline" / "temporal-1.8.2"
    cached.parent.mkdir(parents=True)
    program(cached, "cached")
    said: list[str] = []
    assert find_or_get(said.append, get=never) == cached
    assert "1.27.1" in said[0]


def test_two_at_once_get_it_once(empty_machine: Path) -> None:
    """Two commands that start on an empty machine share one download; the second says that it waits."""
    gets: list[Path] = []
    said: list[str] = []
    waiting = threading.Event()

    def hear(text: str) -> None:
        said.append(text)
        waiting.set()

    def get(target: Path, say: Say) -> None:
        gets.append(target)
        assert waiting.wait(20), "the second command never said that it waits"
        program(target, "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)")

    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(find_or_get(hear, get=get))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(gets) == 1
    assert found == [gets[0], gets[0]]
    assert any("waiting" in text for text in said)


def test_a_file_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    """A broken binary is told from a good one by asking it."""
    assert server_version(program(tmp_path / "odd", "hello")) == ()
    assert server_version(tmp_path / "missing") == ()
    assert server_version(program(tmp_path / "ok", "temporal version 1 (Server 1.31.2, UI 2)")) == (1, 31, 2)


def test_a_build_that_fails_says_why(empty_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failed step and the compiler's own words are in the error."""
    folder = empty_machine / "bin"
    folder.mkdir()
    (folder / "go").write_text("#!/bin/sh\n[ $1 = env ] && echo go1.99.0 && exit 0\necho no space left\nexit 1\n")
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert go_version(folder / "go") >= GO_FLOOR
    with pytest.raises(BuildFailed, match="Downloading Go modules failed: no space left"):
        build(TEMPORAL, empty_machine / "temporal", "1.8.2", empty_machine, lambda text: None)


async def test_ctrl_c_ends_a_build_with_all_it_started(empty_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted while it tells of its progress, a build leaves no compiler running."""
    folder, pids = empty_machine / "bin", empty_machine / "pids"
    folder.mkdir()
    (folder / "go").write_text(
        f"#!/bin/sh\n[ $1 = env ] && echo go1.99.0 && exit 0\nsleep 600 &\necho $! > {pids}\nwait\n"
    )
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def interrupted(text: str) -> None:
        if pids.exists() and pids.read_text().strip():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(TEMPORAL, empty_machine / "temporal", "1.8.2", empty_machine, interrupted, told_every=0.1)
    await until(lambda: asyncio.to_thread(is_gone, int(pids.read_text())))  # the kernel takes its moment under load


def test_no_way_at_all_is_code_4() -> None:
    """Without Temporal the command ends as for anything that cannot be reached."""
    assert NoTemporal("none").code is Exit.UNREACHABLE
