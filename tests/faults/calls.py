"""What a payment asks of the outside, as the sandboxes' doors saw it: never listed by hand."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.endtoend.shops import Shop

_ID = re.compile(r"\d{10,}|[a-z]{2,8}_(?=\w*[A-Z0-9])\w{6,}")
_ROOT = re.compile(r"^/(inventory/)?v1")


@dataclass(frozen=True, order=True)
class Call:
    """The `nth` request of one method to one path, ids left out, in the story of one payment."""

    at: str  # "stripe" or "zoho"
    method: str
    path: str
    nth: int = 1

    def __str__(self) -> str:
        again = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.at} {self.method} {_ROOT.sub('', self.path)}{again}"

    @property
    def writes(self) -> bool:
        """Whether it changes anything there."""
        return self.method != "GET" and not self.is_token

    @property
    def is_token(self) -> bool:
        """Whether it is the renewal of Zoho's access token."""
        return self.path.endswith("/oauth/v2/token")

    @property
    def is_list(self) -> bool:
        """Whether it asks for many by a filter rather than for one by its id."""
        return self.method == "GET" and not self.path.endswith("{id}")

    @property
    def pattern(self) -> str:
        """The regular expression of its paths."""
        return "^" + re.escape(self.path).replace(re.escape("{id}"), "[^/]+") + "$"


def calls_since(shop: Shop, moment: float) -> tuple[Call, ...]:
    """Every call that came to the shop's sandboxes since `moment` (of `mark`), in order."""
    seen = [(one, at) for at in ("stripe", "zoho") for one in shop.program(at).door.log if one.at >= moment]
    return numbered((at, one.method, _template(one.path)) for one, at in sorted(seen, key=lambda pair: pair[0].at))


def numbered(requests: Iterable[tuple[str, str, str]]) -> tuple[Call, ...]:
    """The requests as calls: those that are alike are counted."""
    counts: Counter[tuple[str, str, str]] = Counter()
    found = []
    for request in requests:
        counts[request] += 1
        found.append(Call(*request, counts[request]))
    return tuple(found)


def mark() -> float:
    """This moment, as `calls_since` takes it."""
    return time.monotonic()


def _template(path: str) -> str:
    return "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))
