"""Histories of earlier releases still replay, and the alarm rings when they would not."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from clients.telemetry import tracing_interceptors
from clients.temporal import ThroughlinePlugin
from clients.tracing import open_tracing
from tests.replay.hasty import HastyWorkflow
from tests.replay.record import KINDS
from workflows.workers import WORKFLOWS

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def history(path: Path) -> WorkflowHistory:
    """A saved history, as the run it was."""
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("traces", ["off", "file"])
@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_saved_history_replays(path: Path, traces: str, tmp_path: Path) -> None:
    """Today's code takes an earlier release's run over where it stands, whether traces are kept or not."""
    tracing = open_tracing(traces, "test", file=tmp_path / "traces.jsonl", endpoint="")
    plugin = ThroughlinePlugin(interceptors=tracing_interceptors(tracing))
    replayer = Replayer(workflows=WORKFLOWS, plugins=[plugin])
    await replayer.replay_workflow(history(path))
    tracing.close()


def test_every_story_has_its_history() -> None:
    """A new story without a history would prove nothing."""
    assert {path.stem for path in HISTORIES} >= {name for stories, _ in KINDS for name in stories}


async def test_the_alarm_rings_on_a_changed_order_of_steps() -> None:
    """The same history under code that does things in another order is a nondeterminism error."""
    replayer = Replayer(workflows=[HastyWorkflow], plugins=[ThroughlinePlugin()])
    path = next(path for path in HISTORIES if path.stem == "payment-known-customer")
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history(path))
