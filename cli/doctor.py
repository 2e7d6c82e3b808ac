"""`throughline doctor`: looks at everything a payment will need, and tells the cure of what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict

from cli.checkups import stripe, sweeps, temporal, zoho
from cli.checkups.finding import Finding, Mark, fail, gathered, ok
from cli.exits import Exit
from cli.output import Format, show_rows
from cli.reach import open_store
from clients.connections import Connection, load_connections
from clients.errors import SettingsError, ThroughlineError
from clients.settings import Settings, load_settings
from clients.store import Store

COLUMNS = {"mark": "", "what": "Looked at", "seen": "Seen", "cure": "What to do"}


async def run_doctor(form: Format) -> Exit:
    """FAILED where one check failed; a warning does not."""
    findings = await examine()
    show_rows([asdict(finding) for finding in findings], COLUMNS, form)
    return Exit.FAILED if any(finding.mark is Mark.FAIL for finding in findings) else Exit.OK


async def examine() -> list[Finding]:
    """Every finding; one fault does not hide the next, as far as the rest can be looked at without it."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return [fail("settings", str(error), "correct the setting; the rest cannot be looked at before")]
    findings = [ok("settings", f"home {settings.home}, Temporal {settings.temporal_address}")]
    connections: dict[str, Connection] = {}
    try:
        connections = load_connections(settings.connections_file)
        findings.append(ok("connections", ", ".join(connections)))
    except SettingsError as error:
        findings.append(fail("connections", str(error), "correct the file; README shows one"))
    findings += await gathered("Temporal", temporal.look(settings), "start Temporal, or correct its address")
    findings += await gathered("sweeps", sweeps.look(settings, connections.values()), "start Temporal")
    return findings + await _with_store(settings, connections)


async def _with_store(settings: Settings, connections: dict[str, Connection]) -> list[Finding]:
    try:
        store = await open_store(settings)
    except ThroughlineError as error:
        cure = "correct THROUGHLINE_STORE_URL or THROUGHLINE_KEYS, or start the database"
        return [fail("store", str(error), cure)]
    try:
        findings = await gathered("store", _audit(store, connections), "restore the store from its backup")
        for connection in connections.values():
            cure = f"correct connections.{connection.slug}.stripe, or try again when Stripe answers"
            findings += await gathered(f"{connection.slug}: Stripe", stripe.look(connection), cure)
            cure = f"correct connections.{connection.slug}.zoho, or try again when Zoho answers"
            findings += await gathered(f"{connection.slug}: Zoho", zoho.look(connection, store), cure)
    finally:
        await store.close()
    return findings


async def _audit(store: Store, connections: dict[str, Connection]) -> AsyncIterator[Finding]:
    yield ok("store", "opened, at the newest version")
    for slug in connections:
        report = await store.audit.verify(slug)
        what = f"{slug}: audit trail"
        if report.ok:
            yield ok(what, f"{report.entries} entries, unbroken")
        else:
            cure = "somebody changed the store: compare it with a backup before anything else is written"
            yield fail(what, f"entry {report.first_bad} {report.reason}", cure)
