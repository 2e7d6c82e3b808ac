"""What commands show."""

from __future__ import annotations

import pytest

from cli.output import Format, show_rows

ROW = {"payment": f"pi_3{'x' * 23}", "event": "checkout.session.async_payment_succeeded", "note": "word " * 20}


def test_what_is_piped_stands_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """No terminal folds an id, so that it can be looked for in the output."""
    show_rows([ROW], {key: key.capitalize() for key in ROW}, Format.TABLE)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if ROW["payment"] in line]
    assert ROW["event"] in line
    assert ROW["note"].strip() in line
