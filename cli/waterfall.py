"""One picture of a month: from what Stripe held, through what came and went, to what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.month_text import FLOWS, figure
from domain.months import Balance

WIDTH = 720.0  # of the drawing's own units
ROW = 26.0
LABELS = 168.0  # for words on the left
FIGURES = 112.0  # for amounts on the right
_BAR = 15.0
_LEAST = 1.5  # a cent among millions is still seen


@dataclass(frozen=True)
class Bar:
    """One row: `kind` is total, in or out. All lengths in the drawing's units; `link` is where the next bar begins."""

    label: str
    amount: str
    kind: str
    x: float
    width: float
    y: float
    link: float


@dataclass(frozen=True)
class Waterfall:
    """The picture of one currency, the page's `number`th; `zero` is where nothing is, `words` tell it to whoever does
    not see it.
    """

    number: int
    bars: tuple[Bar, ...]
    height: float
    zero: float
    words: str

    @property
    def links(self) -> Iterator[tuple[float, float, float]]:
        """The lines between bars: where, from which height to which."""
        for bar, below in zip(self.bars, self.bars[1:], strict=False):
            yield bar.link, bar.y + _BAR, below.y


def waterfall(balance: Balance, closing: str, number: int = 1) -> Waterfall:
    """The bars of a balance; `closing` is what its last one is called."""
    steps = [("Opening balance", 0, balance.opening.minor, "total")]
    at = balance.opening.minor
    for one in balance.flows:
        steps.append((FLOWS[one.flow], at, at + one.money.minor, "out" if one.money.minor < 0 else "in"))
        at += one.money.minor
    steps.append((closing, 0, balance.closing.minor, "total"))
    amounts = [balance.opening, *(one.money for one in balance.flows), balance.closing]
    shown = [figure(money, sign=kind != "total") for money, (_, _, _, kind) in zip(amounts, steps, strict=True)]
    scale = _scale([end for _, begin, end, _ in steps for end in (begin, end)])
    bars = tuple(
        _bar(number, label, amount, kind, scale(begin), scale(end))
        for number, ((label, begin, end, kind), amount) in enumerate(zip(steps, shown, strict=True))
    )
    told = "; ".join(f"{bar.label} {bar.amount}" for bar in bars)
    return Waterfall(number, bars, ROW * len(bars) + 4, round(scale(0), 1), f"In {balance.currency}: {told}.")


class _Scale:
    def __init__(self, least: int, most: int) -> None:
        self._least, self._span = least, (most - least) or 1

    def __call__(self, minor: int) -> float:
        return LABELS + (WIDTH - LABELS - FIGURES) * (minor - self._least) / self._span


def _scale(ends: Sequence[int]) -> _Scale:
    return _Scale(min(0, *ends), max(0, *ends))


def _bar(number: int, label: str, amount: str, kind: str, begin: float, end: float) -> Bar:
    left, width = min(begin, end), abs(end - begin)
    width = max(width, _LEAST) if width else 0
    y = number * ROW + (ROW - _BAR) / 2
    return Bar(label, amount, kind, round(left, 1), round(width, 1), y, round(end, 1))
