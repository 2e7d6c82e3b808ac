"""What people read is true where a program can tell: names, settings, failures, files and commands."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import BaseModel

from cli.main import app
from clients.connections import StripeAccount, ZohoAccount
from clients.settings import CONFIG_VARIABLE, PREFIX, Settings
from clients.stripe.gateway import STRIPE_VERSION
from domain.mapping_policy import MappingPolicy
from domain.matching import Confidence, FindingKind
from domain.months import Flow
from domain.payout_checks import PayoutPolicy
from domain.payouts import LineKind
from domain.policy import BooksPolicy, PaymentPolicy
from domain.postings import AccountNames
from domain.problems import ProblemCode
from domain.runs import Stage
from domain.sweeps import SweepPolicy
from ingress.subjects import EVENT_TYPES
from sandbox.stripe.switches import Switches as StripeSwitches
from sandbox.zoho.switches import NAMES
from workflows.contract import SEARCH_ATTRIBUTES
from workflows.policies import FATAL

HOME = Path(__file__).parent.parent
FOLDERS = ("activities", "cli", "clients", "deploy", "docs", "domain", "ingress", "sandbox", "tests", "workflows")
PAGES = sorted([HOME / "README.md", HOME / "CHANGELOG.md", *(HOME / "docs").rglob("*.md")])


def page(name: str) -> str:
    """A page's text."""
    return (HOME / name).read_text(encoding="utf-8")


def first_cells(name: str) -> set[str]:
    """What stands in backticks in the first column of the page's tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", page(name), re.MULTILINE))


def code(*folders: str) -> str:
    """The source of some rooms."""
    return "\n".join(path.read_text(encoding="utf-8") for room in folders for path in (HOME / room).rglob("*.py"))


def test_every_failure_of_a_run_has_a_row() -> None:
    """Whatever type a run closes with, docs/operating.md says its meaning and cure."""
    raised = set(re.findall(r"type=\"(\w+)\"", code("workflows", "activities")))
    assert {"NotPaid", "TotalsDiffer", "ContactBeingMade"} <= raised
    assert not (raised | set(FATAL) | {str(problem) for problem in ProblemCode}) - first_cells("docs/operating.md")


def test_every_type_that_waits_has_a_row() -> None:
    """Whatever type a pending activity shows, docs/operating.md says what it waits for."""
    tree = re.findall(r"^class (\w+)\((?:TryLater|ClientError)\)", page("clients/errors.py"), re.MULTILINE)
    assert {"RateLimited", "OutcomeUnknown"} <= set(tree)
    assert not set(tree) - first_cells("docs/operating.md")


def test_every_line_of_a_payout_is_explained() -> None:
    """Each kind, each confidence, each finding and each flow of a month has a row in docs/payouts.md."""
    known = {one.value for kinds in (LineKind, Confidence, FindingKind, Flow) for one in kinds}
    assert not known - first_cells("docs/payouts.md")


def test_every_stage_is_explained() -> None:
    """A stage that the UI shows has a row."""
    assert not {stage.value for stage in Stage} - first_cells("docs/operating.md")


def test_every_outcome_of_a_delivery_is_named() -> None:
    """The label that a counter shows is in docs/operating.md."""
    words = re.findall(r"(?:BadDelivery|Refusal)\((?:\d+, )?\"([a-z-]+)\"", code("ingress"))
    words += [f"ignored-{word}" for word in re.findall(r"Nothing\(\"([a-z-]+)\"", code("ingress"))]
    assert {"forged", "ignored-type"} <= set(words)
    assert not [word for word in words if f"`{word}`" not in page("docs/operating.md")]


def test_every_metric_is_named() -> None:
    """What `/metrics` serves is in docs/operating.md."""
    where = ("ingress/metrics.py", "workflows/numbers.py", "clients/telemetry.py")
    names = [name for path in where for name in re.findall(r"\"(throughline_\w+)\"", page(path))]
    assert names
    assert not [name for name in names if name not in page("docs/operating.md")]


def test_every_setting_is_told() -> None:
    """Each variable, and each field of a connection, is in docs/connecting.md."""
    variables = [CONFIG_VARIABLE, *(PREFIX + name.upper() for name in Settings.model_fields)]
    assert not set(variables) - first_cells("docs/connecting.md")
    models: tuple[type[BaseModel], ...] = (
        StripeAccount,
        ZohoAccount,
        MappingPolicy,
        PaymentPolicy,
        BooksPolicy,
        AccountNames,
        SweepPolicy,
        PayoutPolicy,
    )
    fields = [name for model in models for name in model.model_fields]
    assert not [name for name in fields if f"`{name}`" not in page("docs/connecting.md")]


def test_no_setting_is_invented() -> None:
    """A variable with our prefix on any page exists."""
    known = {CONFIG_VARIABLE, *(PREFIX + name.upper() for name in Settings.model_fields)}
    for path in PAGES:
        assert set(re.findall(r"THROUGHLINE_[A-Z_]+", path.read_text(encoding="utf-8"))) <= known, path


def test_webhook_and_search_attributes_are_told_as_they_are() -> None:
    """API version, event types and search attributes are those of the code."""
    text = page("docs/connecting.md")
    wanted = {name for name in EVENT_TYPES if not name.startswith("v1.")} | {STRIPE_VERSION}
    assert not [name for name in wanted if name not in text]
    for attribute in SEARCH_ATTRIBUTES:
        kind = "".join(part.capitalize() for part in attribute.indexed_value_type.name.split("_"))
        assert re.search(rf"--name {attribute.name} --type {kind}\b", text), attribute.name


def test_every_feature_has_one_row() -> None:
    """F1 to F42, in order, each with a state; what is done or partly there names a test, and the files exist."""
    rows = re.findall(r"^\| (F\d+) \|(.*)\|$", page("docs/features.md"), re.MULTILINE)
    assert [name for name, _ in rows] == [f"F{number}" for number in range(1, 43)]
    for name, row in rows:
        _, state, _, shown, missing = (cell.strip() for cell in row.split("|"))
        assert state in ("done", "part", "not yet"), name
        assert (state == "not yet") or shown.startswith("tests/"), name
        assert (state == "part") <= bool(missing), name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(HOME)))
def test_every_file_that_is_named_exists(path: Path) -> None:
    """Paths of ours and links between pages lead somewhere."""
    text = path.read_text(encoding="utf-8")
    for name in re.findall(rf"\b(?:{'|'.join(FOLDERS)})/[\w/.-]*\w", text):
        assert (HOME / name).exists(), name
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (path.parent / link).exists(), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(HOME)))
def test_every_command_that_is_shown_exists(path: Path) -> None:
    """`throughline <command>` and `make <target>` can be typed."""
    text = path.read_text(encoding="utf-8")
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {group.name for group in app.registered_groups if group.name}
    assert set(re.findall(r"(?:`|bin/|^)throughline ([a-z]+)", text, re.MULTILINE)) <= commands
    targets = set(re.findall(r"^(\w+):", page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)|^\$ make ([a-z]+)", text, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


def test_every_switch_that_is_named_exists() -> None:
    """The last column of docs/unknowns.md holds names of the sandboxes' switches."""
    cells = re.findall(r"^\|.*\| ([^|]*) \|$", page("docs/unknowns.md"), re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert "contact_address_endpoint" in named
    assert named <= {*NAMES, *(field.name for field in fields(StripeSwitches))}
