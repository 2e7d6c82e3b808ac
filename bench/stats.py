"""Sorted numbers and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

__all__ = ["Spread", "median"]


@dataclass(frozen=True)
class Spread:
    """Median, 99th percentile and largest of some durations in seconds."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Nearest rank, so that each number was really measured. ValueError for nothing."""
        if not seconds:
            raise ValueError("nothing was measured")
        rising = sorted(seconds)
        return cls(_rank(rising, 0.5), _rank(rising, 0.99), rising[-1])


def _rank(rising: Sequence[float], share: float) -> float:
    return rising[max(0, ceil(share * len(rising)) - 1)]
