"""The plan of the building, enforced: which room may import which, and what a room may use of others' libraries."""

from __future__ import annotations

import ast
import importlib
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
ROOMS = ("activities", "bench", "cli", "clients", "domain", "ingress", "sandbox", "tests", "workflows", "worker")
PYTHON = sorted(
    path for room in ROOMS for path in ([HOME / f"{room}.py"] if room == "worker" else (HOME / room).rglob("*.py"))
)
# Room -> the modules of ours that it may import at run time (a prefix allows what is below it).
MAY_IMPORT = {
    "domain": ("domain",),
    "clients": ("clients", "domain"),
    "activities": ("activities", "clients.errors", "domain"),
    "workflows": ("activities", "domain", "workflows"),
    "ingress": ("clients", "domain", "ingress", "workflows.contract"),
    "sandbox": ("sandbox",),
}
# Room -> the only third-party packages it may import.
MAY_USE = {
    "domain": {"pydantic"},
    "activities": {"pydantic", "temporalio"},
    "workflows": {"temporalio"},
    "sandbox": {"aiohttp"},
}
NOBODY_IMPORTS = ("bench", "cli", "worker")
TEMPORAL_IN_CLIENTS = {"clients/temporal.py", "clients/telemetry.py"}


def imports(path: Path, *, typing_too: bool = False) -> Iterator[str]:
    """Dotted names that a file imports at run time; `typing_too` adds those under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing_too:
            hidden |= {id(inner) for branch in node.body for inner in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: rooms are imported by their full names"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_room(room: str) -> list[Path]:
    """The files of a room."""
    return [path for path in PYTHON if path.relative_to(HOME).parts[0].removesuffix(".py") == room]


def is_ours(name: str) -> bool:
    """Whether a dotted name is one of our rooms."""
    return name.partition(".")[0] in ROOMS


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_the_plan_allows(room: str) -> None:
    """The table of rooms holds, import by import."""
    wrong = [
        f"{path.relative_to(HOME)}: {name}"
        for path in of_room(room)
        for name in imports(path)
        if is_ours(name) and not any(name == ok or name.startswith(f"{ok}.") for ok in MAY_IMPORT[room])
    ]
    assert not wrong


@pytest.mark.parametrize("room", MAY_USE)
def test_rooms_use_only_their_libraries(room: str) -> None:
    """A pure room stays pure, and the sandbox shares nothing with the clients it tests."""
    import sys

    wrong = [
        f"{path.relative_to(HOME)}: {name}"
        for path in of_room(room)
        for name in imports(path, typing_too=room == "sandbox")
        if not is_ours(name)
        and (top := name.partition(".")[0]) not in sys.stdlib_module_names
        and top not in MAY_USE[room]
    ]
    assert not wrong


def test_the_contract_needs_only_names() -> None:
    """Whoever starts a run imports no workflow code with it."""
    found = {name.rpartition(".")[0] for name in imports(HOME / "workflows/contract.py")} - {"__future__"}
    assert found <= {"temporalio.common", "domain.numbers"}


def test_temporal_has_two_doors_in_the_clients() -> None:
    """temporalio is spoken to in temporal.py and telemetry.py only."""
    users = {
        str(path.relative_to(HOME))
        for path in of_room("clients")
        for name in imports(path)
        if name.startswith("temporalio")
    }
    assert users <= TEMPORAL_IN_CLIENTS


def test_nobody_imports_the_outermost_rooms() -> None:
    """cli, bench and worker are ends: only they themselves and the tests may import them."""
    wrong = [
        f"{path.relative_to(HOME)}: {name}"
        for path in PYTHON
        if path.relative_to(HOME).parts[0].removesuffix(".py") not in ("tests", *NOBODY_IMPORTS)
        for name in imports(path)
        if name.partition(".")[0] in NOBODY_IMPORTS
    ]
    assert not wrong


def test_workflow_files_have_one_door_into_the_sandbox() -> None:
    """All imports of ours stand in one imports_passed_through block, and the sandbox is never off."""
    for path in of_room("workflows"):
        text = path.read_text(encoding="utf-8")
        if "@workflow.defn" not in text:
            continue
        assert text.count("imports_passed_through()") == 1, path
        outside = text[: text.index("imports_passed_through()")]
        assert not re.search(r"^(from|import) (domain|activities|workflows|clients)", outside, re.M), path
        assert "sandboxed=False" not in text
        assert "sandbox_unrestricted" not in text


def test_runs_are_stories() -> None:
    """A workflow's `run` has at most 25 lines of code."""
    for path in of_room("workflows"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and any(
                "workflow.run" in ast.unparse(d) for d in node.decorator_list
            ):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1
                assert lines <= 25, f"{path}: run has {lines} lines"


def activity_methods() -> Iterator[tuple[Path, ast.AsyncFunctionDef]]:
    """Every activity with its file."""
    for path in of_room("activities"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and any(
                ast.unparse(d).startswith("activity.defn") for d in node.decorator_list
            ):
                yield path, node


def test_activities_are_thin_hands() -> None:
    """An activity has at most 15 lines of code, docstring, comments and blank lines apart."""
    for path, node in activity_methods():
        body = node.body[1:] if ast.get_docstring(node) else node.body
        begin, end = body[0].lineno, body[-1].end_lineno or body[-1].lineno
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()[begin - 1 : end]]
        code = [line for line in lines if line and not line.startswith("#")]
        assert len(code) <= 15, f"{path}: {node.name} has {len(code)} lines"


def test_activities_take_one_model_and_give_one() -> None:
    """One frozen model in; one out, or nothing: fields can be added to a model, not to a bare value."""
    from domain.payments import Fact

    for path, node in activity_methods():
        hints = typing.get_type_hints(_activity(path, node.name))
        gives = hints.pop("return")
        assert len(hints) == 1, f"{path}: {node.name} takes {len(hints)} arguments"
        for hint in (*hints.values(), *(typing.get_args(gives) or [gives])):
            assert hint is type(None) or issubclass(hint, Fact), f"{path}: {node.name} has a bare {hint}"
            assert hint is type(None) or hint.model_config["frozen"], f"{path}: {hint} is not frozen"
        assert type(None) not in hints.values()


def _activity(path: Path, name: str) -> typing.Any:
    module = importlib.import_module(".".join(path.relative_to(HOME).with_suffix("").parts))
    own = [thing for thing in vars(module).values() if getattr(thing, "__module__", "") == module.__name__]
    [method] = [vars(thing)[name] for thing in own if isinstance(thing, type) and name in vars(thing)]
    return method


def test_patience_is_named_in_one_place() -> None:
    """Timeouts and retry policies stand in workflows/policies.py and nowhere else in the workflows."""
    for path in of_room("workflows"):
        if path.name != "policies.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"RetryPolicy\(|start_to_close_timeout|schedule_to_close_timeout", text), path


def test_no_function_reads_the_clock_of_the_domain() -> None:
    """Time comes from the caller."""
    for room in ("domain", "activities", "workflows"):
        for path in of_room(room):
            assert not re.search(r"datetime\.(now|utcnow)\(|time\.time\(", path.read_text(encoding="utf-8")), path


def test_tests_patch_nothing() -> None:
    """Fakes and the sandbox, never a patched module."""
    for path in of_room("tests"):
        if path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"mock\.patch|unittest\.mock", text), path


def test_the_worker_is_small() -> None:
    """A composition root of under 100 lines."""
    assert len((HOME / "worker.py").read_text(encoding="utf-8").splitlines()) < 100


def test_activity_names_outlive_deploys() -> None:
    """A renamed activity breaks runs that wait for it: the names are a list of their own."""
    names = [node.name for _, node in activity_methods()]
    assert len(names) == len(set(names))
    assert set(names) == set((HOME / "tests/activity_names.txt").read_text(encoding="utf-8").split())


def test_every_run_takes_turns_as_its_shops() -> None:
    """Runs that name no fairness key would share one shop's activities a second on the main queue among all shops."""
    starts = ("start_workflow", "execute_workflow", "ScheduleActionStartWorkflow")
    keyless = [
        f"{path}:{node.lineno}"
        for room in ("cli", "ingress", "workflows")
        for path in of_room(room)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in starts
        and "priority" not in [given.arg for given in node.keywords]
    ]
    assert keyless == []
