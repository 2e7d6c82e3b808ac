"""The benchmarks run whole, at a size that tells nothing about speed; what they count is held to its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import bare, seeing
from bench.__main__ import measure
from bench.command import DOCUMENT
from bench.figures import Figures
from bench.load import Answered, Answers
from bench.plan import FULL, QUICK, TINY, Plan
from bench.report import BEGIN, END, put_down, sheets
from bench.stats import Spread
from bench.till import TOLD


@pytest.fixture(scope="module")
async def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The smallest run: every measurement once, all programs as processes."""
    return await measure(TINY, tmp_path_factory.mktemp("bench") / "home")


def test_a_known_customers_payment_costs_what_the_house_promises(figures: Figures) -> None:
    """Five Zoho calls, seven activities, one local one; eleven Temporal actions."""
    costs = figures.costs["a known customer"]
    assert (costs.zoho, costs.activities, costs.local, costs.actions) == (5, 7, 1, 11)
    assert 40 <= costs.events <= 60
    assert 5_000 <= costs.stored <= 20_000


def test_other_payments_cost_what_they_have_to_ask(figures: Figures) -> None:
    """A new customer two calls more, a shop's first payment one for each thing it has to learn; further events none."""
    zoho = {name: costs.zoho for name, costs in figures.costs.items()}
    assert zoho == {
        "the first of a shop": 11,  # organisation, currencies and two items besides
        "a new customer": 7,
        "a known customer": 5,
        "a known customer, told three times": 5,
    }


def test_bare_workflow_has_as_many_activities_as_a_payment(figures: Figures) -> None:
    """Otherwise the comparison is none."""
    costs = figures.costs["a known customer"]
    assert (costs.activities, costs.local) == (bare.MAIN + bare.ZOHO, bare.LOCAL)


def test_every_measurement_was_taken_and_nothing_refused(figures: Figures) -> None:
    """Each payment was carried, each webhook answered 200, and Zoho refused no call."""
    assert figures.single
    assert figures.busy
    assert figures.calm
    assert figures.burst
    assert figures.alone
    assert figures.honest
    assert [each.runs for each in (*figures.house, *figures.bare, figures.honest.round)] == [4, 4, 1]
    assert (figures.calm.payments, figures.burst.payments) == (2, 2)
    assert [set(a.statuses) for a in (figures.calm.answers, figures.burst.answers, figures.alone)] == [{200}] * 3
    assert figures.honest.refused == 0
    assert figures.storm
    assert {(gale.orders, gale.calls, gale.refused) for gale in figures.storm.gales.values()} == {(1, 5, 0)}
    assert 0 < figures.storm.turn.p50 <= figures.storm.turn.p99
    assert len(figures.starts) == TINY.starts
    for waits in (figures.single, figures.busy, figures.calm.waits, figures.burst.waits):
        assert 0 < waits.stock.p50 < waits.paid.p50


def test_cpu_is_told_by_process(figures: Figures) -> None:
    """Payments take the CPU of our programs, bare workflows that of their own worker."""
    payments, bares = figures.house[0], figures.bare[0]
    assert set(payments.cpu) == {"temporal", "worker", "ingress", "sandbox", "bare", "load"}
    assert payments.cpu_each("worker") > payments.cpu_each("bare")
    assert bares.cpu_each("bare") > bares.cpu_each("worker")


def test_figures_replace_the_old_ones_in_the_document(figures: Figures, tmp_path: Path) -> None:
    """What people wrote around them stays, and writing twice changes nothing."""
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{BEGIN}\nlast year's\n{END}\nafter\n", encoding="utf-8")
    put_down(sheets(figures), document, BEGIN, END)
    once = document.read_text(encoding="utf-8")
    put_down(sheets(figures), document, BEGIN, END)
    assert document.read_text(encoding="utf-8") == once
    assert once.startswith(f"before\n{BEGIN}\n")
    assert once.endswith(f"{END}\nafter\n")
    assert "last year" not in once
    assert all(f"### {sheet.title}\n" in once for sheet in sheets(figures))


def test_document_without_a_place_for_figures_is_left_alone(figures: Figures, tmp_path: Path) -> None:
    """A sentence says what it lacks."""
    document = tmp_path / "other.md"
    document.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for figures"):
        put_down(sheets(figures), document, BEGIN, END)
    assert document.read_text(encoding="utf-8") == "no marks"


def test_the_projects_document_has_a_place_for_figures() -> None:
    """`make bench` writes there."""
    text = (Path(__file__).parent.parent.parent / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)


@pytest.mark.parametrize(
    ("seconds", "spread"),
    [
        ([3.0], Spread(3.0, 3.0, 3.0)),
        ([float(n) for n in range(100, 0, -1)], Spread(50.0, 99.0, 100.0)),
        ([float(n) for n in range(1, 201)], Spread(100.0, 198.0, 200.0)),
    ],
)
def test_percentiles_are_numbers_that_were_measured(seconds: list[float], spread: Spread) -> None:
    """Nearest rank, nothing interpolated."""
    assert Spread.of(seconds) == spread


def test_an_answer_that_never_came_counts_as_refused() -> None:
    """A delivery without an answer is one that Stripe would repeat."""
    rows = tuple(Answered("pi_1", due, 0.1, status) for due, status in ((2.0, 200), (1.0, 503), (3.0, 0)))
    answers = Answers(rows, 20)
    assert answers.refused == 2
    assert answers.first_due() == {"pi_1": 1.0}


@pytest.mark.parametrize("plan", [FULL, QUICK, TINY])
def test_a_plan_sells_enough_for_its_loads(plan: Plan) -> None:
    """Every payment that a load announces was made before."""
    loads = [plan.calm_rate * plan.calm_seconds, plan.burst_rate * plan.burst_seconds]
    announced = sum(max(1, int(webhooks / len(TOLD))) for webhooks in loads)
    assert plan.sold() >= plan.single + plan.rounds * plan.payments + announced


async def test_what_it_costs_to_be_seen_is_measured(tmp_path: Path) -> None:
    """Traces on and off, each payment carried and its spans in the file; mapping and checks timed."""
    seen = await seeing.measure(seeing.TINY, tmp_path / "home")
    assert [each.runs for each in (*seen.traced, *seen.plain)] == [3, 3]
    assert seen.spans >= 4 * 20
    assert min(seen.cpu_ratios[0], seen.rate_ratios[0], seen.map_seconds, seen.check_seconds) > 0
    document = tmp_path / "benchmarks.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    put_down(seeing.sheets(seen), document, seeing.BEGIN, seeing.END)
    assert all(f"### {sheet.title}\n" in document.read_text(encoding="utf-8") for sheet in seeing.sheets(seen))
