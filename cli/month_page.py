"""A month as one page that needs nothing else: for a browser, for paper, and as a PDF."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cli.exits import Exit, Stop
from cli.month_tables import proof
from cli.month_text import FLOWS, day, figure, open_words, title, verdict
from cli.waterfall import LABELS, ROW, WIDTH, waterfall
from domain.months import Month

# Where a Chromium is called what; the last two are macOS's.
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
_PATIENCE = 60  # seconds for a browser to print a page


def to_page(month: Month) -> str:
    """The page as HTML, with its styles and its picture in it; it asks nothing of any network."""
    zone = ZoneInfo(month.span.zone)
    closing = "Closing balance" if month.over else "Balance now"
    return _template().render(
        month=month,
        title=title(month),
        verdict=verdict(month),
        open_words=open_words(month),
        good=month.balanced and month.proved,
        pictures=[waterfall(one, closing, number) for number, one in enumerate(month.balances, 1)],
        closing=closing,
        begin=f"{month.span.begin.astimezone(zone):%Y-%m-%d %H:%M %Z}",
        end=f"{month.span.end.astimezone(zone):%Y-%m-%d %H:%M %Z}",
        made=f"{month.made_at:%Y-%m-%d %H:%M} UTC",
    )


@cache
def _template() -> Template:
    made = Environment(
        loader=PackageLoader("cli"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"figure": figure, "day": day, "proof": proof}
    made.globals |= {"FLOWS": FLOWS, "ROW": ROW, "WIDTH": WIDTH, "LABELS": LABELS}
    return made.get_template("month.html")


def print_pdf(month: Month, to: Path, browser: str = "") -> None:
    """The page on A4. Stop with the cure where no browser is found, or the one found does not print."""
    found = _browser(browser)
    with tempfile.TemporaryDirectory() as folder:
        page, pdf = Path(folder) / "month.html", Path(folder) / "month.pdf"
        page.write_text(to_page(month), encoding="utf-8")
        command = [
            found, "--headless", "--disable-gpu", f"--user-data-dir={folder}/profile", "--no-pdf-header-footer",
            *(["--no-sandbox"] if _is_root() else []), f"--print-to-pdf={pdf}", page.as_uri(),
        ]  # fmt: skip
        try:
            ended = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Stop(f"{found} did not print the page ({error}). {_CURE}") from None
        if not pdf.exists():
            said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise Stop(f"{found} did not print the page ({said[0]}). {_CURE}")
        try:
            shutil.copyfile(pdf, to)
        except OSError as error:
            raise Stop(f"{to} cannot be written ({error.strerror}).", Exit.USAGE) from None


_CURE = "Write --html and print it from any browser, or name another one with --browser."


def _browser(name: str) -> str:
    for one in (name,) if name else BROWSERS:
        if found := shutil.which(one):
            return found
    if name:
        raise Stop(f"There is no browser {name!r}. {_CURE}", Exit.USAGE)
    raise Stop(f"No Chromium was found for the PDF. Install chromium. {_CURE}")


def _is_root() -> bool:
    """Chromium's own sandbox does not start for root, as in a container."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
