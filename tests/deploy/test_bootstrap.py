"""The ground under both commands: made once, found at once after, and a sentence when a step fails."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("3.11", "3.12", "3.13")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that has the ground alone: a lock of nothing, and a project with no code in it."""
    root = tmp_path / "checkout"
    (root / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "bootstrap.py", root / "deploy")
    shutil.copy(ROOT / "Makefile", root)
    (root / "requirements.lock").write_text("")
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "nothing"\nversion = "0"\n'
    )
    shutil.copy(Path(__file__).with_name("backend.py"), root)
    return root


def ready(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make ready` in the checkout."""
    command = ["make", "-s", "ready", f"PYTHON={sys.executable}", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)


def test_the_second_time_nothing_is_done(checkout: Path) -> None:
    """The first time tells its steps; the second time is silent; another lock is installed again."""
    first = ready(checkout)
    assert first.returncode == 0, first.stderr
    assert "Dependencies: done" in first.stderr
    assert (checkout / ".venv" / "bin" / "python").exists()
    assert ready(checkout).stderr == ""
    (checkout / "requirements.lock").write_text("# changed\n")
    assert "Dependencies: done" in ready(checkout).stderr


def test_a_moved_checkout_gets_a_new_environment(checkout: Path) -> None:
    """An environment holds the folder's name in its scripts, so a moved one is made again."""
    assert ready(checkout).returncode == 0
    moved = checkout.rename(checkout.with_name("moved"))
    assert "Making .venv: done" in ready(moved).stderr


def test_a_failed_step_says_what_why_and_what_to_type(checkout: Path) -> None:
    """A package without a hash is refused, and the sentence names the step, the cause, the log and the cure."""
    (checkout / "requirements.lock").write_text("throughline-no-such-package==9.9.9\n")
    ended = ready(checkout)
    assert ended.returncode != 0
    assert "Dependencies failed:" in ended.stderr
    assert "What to do:" in ended.stderr
    assert "bootstrap.log" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_fitting_python_is_a_sentence(checkout: Path) -> None:
    """Where no Python from 3.11 to 3.13 is found, the versions and the way to name one are told."""
    ended = ready(checkout, "CANDIDATES=python-of-nobody")
    assert ended.returncode != 0
    assert all(version in ended.stderr for version in VERSIONS)
    assert "PYTHON=" in ended.stderr


def test_the_lock_pins_every_package_by_hash_and_names_no_address() -> None:
    """Each requirement is one exact version with hashes; no index or download address is in any of our files."""
    lock = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry
    for name in ("requirements.lock", "Makefile", "pyproject.toml", "deploy/bootstrap.py"):
        assert "://" not in (ROOT / name).read_text()


def test_ci_does_what_make_test_does() -> None:
    """The CI entry is the same command that a person types."""
    assert (ROOT / ".ci" / "run").read_text() == "#!/usr/bin/env bash\nexec make test\n"
