"""A month as people get it: the page with its picture, the sheet, amounts in words, and the PDF."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.exits import Stop
from cli.month_page import print_pdf, to_page
from cli.month_text import figure, open_words, to_csv, verdict
from cli.waterfall import waterfall
from domain.money import Money
from domain.months import OpenItem
from domain.open_items import waiting_item
from tests.cli.sample_month import a_shop


def test_the_page_stands_by_itself_and_tells_its_picture() -> None:
    """Nothing is fetched; the picture has a title and a description with every figure; each tag is closed."""
    shop = a_shop()
    page = to_page(shop.month())
    assert not re.search(r"(src|href)=|url\((?!#h)|@import|<script", page)
    (balance,) = shop.month().balances
    told = re.search(r"<desc[^>]*>(.*?)</desc>", page)
    assert told is not None
    for one in balance.flows:
        assert figure(one.money, sign=True) in told[1]
    assert page.count("<rect") == 2 + len(balance.flows) + 2  # the bars, and the two of the hatching
    assert "Adds up to the cent and all 4 certificates verify." in page
    for proof in shop.certificates:
        assert proof.hash in page
    assert _Tags.unclosed(page) == []


class _Tags(HTMLParser):
    """What is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens it, unless it has no end."""
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is left open."""

    def handle_endtag(self, tag: str) -> None:
        """Closes the last one, which it has to be."""
        assert self.open.pop() == tag

    @classmethod
    def unclosed(cls, page: str) -> list[str]:
        """The tags that are never closed."""
        tags = cls()
        tags.feed(page)
        return tags.open


def test_what_people_typed_is_no_markup() -> None:
    """A name that looks like a tag stays text."""
    page = to_page(a_shop().month(connection="<b>shop</b>", unseen=("<i>nothing</i>",)))
    assert "<b>shop" not in page
    assert "<i>nothing" not in page


def test_a_month_that_does_not_add_up_says_so_everywhere() -> None:
    """The verdict, the page with the row and the cent, and a month that is not over."""
    shop = a_shop()
    wrong = shop.certificates[0]
    line = wrong.lines[0]
    entries = [line.postings[0].model_copy(update={"minor": line.postings[0].minor + 1}), *line.postings[1:]]
    lines = [line.model_copy(update={"postings": entries}), *wrong.lines[1:]]
    month = shop.month([wrong.model_copy(update={"lines": lines}), *shop.certificates[1:]])
    assert verdict(month) == "Does not add up: 0.01 EUR off."
    page = to_page(month)
    assert f"{line.transaction} is certified by" in page
    assert "Does not add up by" in page
    assert "so far" not in page
    running = shop.month(made_at=shop.month().span.end.replace(day=20))
    assert "The month is not over" in verdict(running)
    assert "so far" in to_page(running)


def test_the_picture_goes_from_the_opening_to_the_closing_balance() -> None:
    """Each bar begins where the one before it ended; a picture of nothing, and one below zero, are pictures too."""
    (balance,) = a_shop().month().balances
    picture = waterfall(balance, "Closing balance")
    first, *between, last = picture.bars
    at = first.link
    for bar in between:
        assert min(abs(at - bar.x), abs(at - bar.x - bar.width)) < 0.2 or bar.width == 1.5
        at = bar.link
    assert at == last.link
    assert {bar.kind for bar in between} == {"in", "out"}
    assert all(0 <= bar.x <= 720 and 0 <= bar.x + bar.width <= 720 for bar in picture.bars)
    nothing = Money.of(0, "EUR")
    empty = balance.model_copy(update={"opening": nothing, "closing": nothing, "flows": ()})
    assert [bar.width for bar in waterfall(empty, "Closing balance").bars] == [0, 0]
    below = balance.model_copy(update={"opening": -balance.opening, "closing": -balance.opening, "flows": ()})
    assert waterfall(below, "x").zero > waterfall(below, "x").bars[0].x


def test_the_sheet_runs_from_opening_to_closing() -> None:
    """In and out, each row with the balance after it, to the cent; an amount is a number to a spreadsheet."""
    month = a_shop().month()
    rows = list(csv.DictReader(io.StringIO(to_csv(month))))
    at = Decimal(rows[0]["balance"])
    for row in rows[1:-1]:
        at += Decimal(row["in"] or 0) - Decimal(row["out"] or 0)
        assert Decimal(row["balance"]) == at
    (balance,) = month.balances
    assert Decimal(rows[-1]["balance"]) == at == balance.closing.decimal()
    assert (rows[0]["date"], rows[-1]["date"]) == ("2026-10-01", "2026-10-31")
    below = balance.model_copy(update={"opening": -balance.opening})
    negative = month.model_copy(update={"moves": (), "balances": (below,)})
    assert next(csv.DictReader(io.StringIO(to_csv(negative))))["balance"] == "-2143.18"


def test_amounts_are_written_for_people() -> None:
    """Thousands, the currency's decimals, a real minus, a plus only where it is wanted."""
    amounts = [Money.of(123456789, "EUR"), Money.of(-5, "EUR"), Money.of(1000, "JPY"), Money.of(-1500, "KWD")]
    assert [figure(one) for one in amounts] == ["1,234,567.89", "−0.05", "1,000", "−1.500"]
    assert [figure(one, sign=True) for one in (amounts[0], amounts[1], Money.of(0, "EUR"))] == [
        "+1,234,567.89", "−0.05", "0.00"
    ]  # fmt: skip


def test_money_at_risk_is_counted_once() -> None:
    """A run that waits for the payment that a certificate misses asks about the same money."""
    missing = OpenItem(
        about="po_1", payment_id="pi_1", kind="payment_missing", message="x", at_risk=Money.of(4990, "EUR")
    )
    same = waiting_item("pi_1", "pi_1", "unknown_sku", "no such SKU", Money.of(4990, "EUR"), [missing])
    other = waiting_item("pi_2", "pi_2", "unknown_sku", "no such SKU", Money.of(100, "USD"), [missing])
    assert (same.at_risk, other.at_risk) == (None, Money.of(100, "USD"))
    assert open_words(a_shop().month(open=(missing, same, other))) == "3 things are open, 49.90 EUR, 1.00 USD at risk."


def test_the_page_is_printed_as_a_pdf(tmp_path: Path) -> None:
    """On A4, by the browser that was found."""
    print_pdf(a_shop().month(), tmp_path / "month.pdf")
    pdf = (tmp_path / "month.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert box is not None
    assert [round(float(side)) for side in box.groups()] == [595, 842]


def test_without_a_browser_the_cure_is_said(tmp_path: Path) -> None:
    """One that is not there, and one that prints nothing."""
    month = a_shop().month()
    with pytest.raises(Stop, match=r"There is no browser 'nowhere'.*--browser"):
        print_pdf(month, tmp_path / "month.pdf", "nowhere")
    with pytest.raises(Stop, match=r"did not print the page \(it said nothing\).*--html"):
        print_pdf(month, tmp_path / "month.pdf", "true")
    assert not (tmp_path / "month.pdf").exists()
