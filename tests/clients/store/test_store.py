"""The store as a whole: opened by many, migrated once, honest about failure, silent about people."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

import clients.store
from clients.errors import SettingsError, TryLater, Unreachable
from clients.keys import KeyRing
from clients.store import Store
from clients.store.database import open_database
from clients.store.schema import HEAD, links, metadata
from tests.clients.store.conftest import AT, run_sql
from tests.clients.store.writer import CONTESTED

ROOT = Path(clients.store.__file__).parents[2]


async def run_writer(url: str, keys: KeyRing, shop: str, name: str, count: int) -> int:
    """One process; its answer, or a failure with what it wrote to stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.clients.store.writer", url, keys.to_text(), shop, name, str(count),
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    return int(out)


async def test_four_processes_write_500_effects_each(empty_url: str, keys: KeyRing) -> None:
    """They open an empty database at once, and leave one unforked chain, each effect in it once."""
    fresh = await asyncio.gather(*(run_writer(empty_url, keys, "shop", name, 500) for name in "abcd"))
    store = await Store.open(empty_url, keys)
    report = await store.audit.verify("shop")
    entries = await store.audit.entries("shop")
    await store.close()
    assert report.ok, report.reason
    assert report.entries == 4 * 500 + CONTESTED
    assert len({entry.stripe_id for entry in entries}) == report.entries
    assert sum(fresh) == CONTESTED


async def test_the_migrations_make_exactly_the_tables(empty_url: str, keys: KeyRing) -> None:
    """Alembic finds no difference between a migrated database and the tables in the code."""
    # Imported here: it fills Alembic's registry of comparators, 60 ms that only this test needs.
    from alembic.autogenerate import compare_metadata

    await (await Store.open(empty_url, keys)).close()
    engine = create_async_engine(empty_url)

    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    """HEAD names the only head of the migrations."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "clients/store/migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_a_reopened_store_remembers(empty_url: str, keys: KeyRing) -> None:
    """What was written before a restart is there after it."""
    for expected in (None, "1"):
        store = await Store.open(empty_url, keys)
        assert await store.links.get("shop", "item", "A") == expected
        await store.links.put("shop", "item", "A", "1", at=AT)
        await store.close()


async def test_a_database_of_a_newer_release_is_refused(empty_url: str, keys: KeyRing) -> None:
    """An old release does not write into tables it does not know; it says what to do."""
    await (await Store.open(empty_url, keys)).close()
    await run_sql(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SettingsError, match=r"'9999'.*newer release"):
        await Store.open(empty_url, keys)


@pytest.mark.parametrize("url", ["", "mysql://root@localhost/x", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
async def test_a_wrong_address_is_refused_with_a_sentence(url: str, keys: KeyRing) -> None:
    """Not an address, another product, or memory: the setting is named."""
    with pytest.raises(SettingsError, match="store_url"):
        await Store.open(url, keys)


async def test_an_address_is_refused_without_its_password(keys: KeyRing) -> None:
    """The sentence about a wrong address does not repeat the secret in it."""
    with pytest.raises(SettingsError) as refused:
        await Store.open("mysql://root:hunter2@localhost/x", keys)
    assert "hunter2" not in str(refused.value)


async def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path, keys: KeyRing) -> None:
    """No server at the address: try later, nothing was written."""
    with pytest.raises(Unreachable) as failed:
        await Store.open(f"postgresql+asyncpg://x@/x?host={tmp_path}", keys)
    assert failed.value.service == "store"


async def test_a_file_that_is_no_database_is_try_later(tmp_path: Path, keys: KeyRing) -> None:
    """A damaged file is the database's refusal, in our words, with its own kept."""
    (tmp_path / "store.db").write_bytes(b"no database, " * 500)
    with pytest.raises(TryLater, match="not a database"):
        await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", keys)


async def test_an_error_names_no_value(empty_url: str, keys: KeyRing) -> None:
    """A failing statement tells what failed, never the values that were to be written."""
    store = await Store.open(empty_url, keys)
    await run_sql(empty_url, "DROP TABLE links")
    with pytest.raises(TryLater) as failed:
        await store.links.put("shop", "contact", "key", "Ada-Lovelace", at=AT)
    await store.close()
    assert "links" in str(failed.value)
    chain = f"{failed.value} {failed.value.__cause__}"
    assert "Ada-Lovelace" not in chain


def every_byte(folder: Path) -> bytes:
    """The database's file, its log and its lock."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_people_and_tokens_are_ciphertext_in_the_file(tmp_path: Path, keys: KeyRing) -> None:
    """Neither name nor token is in any byte of the database's files, before and after it is forgotten."""
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", keys)
    await store.dossiers.put("shop", "pi_1", "facts", b'{"name": "Canary Lovelace"}' * 50, at=AT)
    await store.tokens.lease("shop", version=0, owner="a", until=AT, now=AT)
    await store.tokens.save("shop", version=0, owner="a", access_token="canary-token", expires_at=AT, api_domain="")
    await store.links.put("shop", "contact", keys.pseudonym(b"canary@example.com"), "77", at=AT)
    kept = every_byte(tmp_path)
    await store.close()
    assert b"pi_1" in kept
    assert b"anary" not in kept


async def test_what_is_forgotten_leaves_the_file(tmp_path: Path, keys: KeyRing) -> None:
    """A deleted dossier's ciphertext is overwritten, not only unlinked: no key brings it back."""
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", keys)
    await store.dossiers.put("shop", "pi_1", "facts", b"Ada", at=AT)
    await store.close()
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    with engine.connect() as connection:
        sealed = connection.exec_driver_sql("SELECT data FROM dossiers").scalar_one()
    engine.dispose()
    assert sealed in (tmp_path / "store.db").read_bytes()
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", keys)
    await store.dossiers.forget("shop", "pi_1")
    await store.close()
    assert sealed not in every_byte(tmp_path)


async def test_a_write_that_reads_first_waits_for_its_turn(tmp_path: Path) -> None:
    """Two writers of one file, a hundred times each: no number is lost, nobody fails."""
    address = f"sqlite+aiosqlite:///{tmp_path}/store.db"
    writers = [await open_database(address) for _ in range(2)]

    def add_one(connection: Connection) -> None:
        count = connection.exec_driver_sql("SELECT count(*) FROM links").scalar_one()
        connection.execute(
            links.insert(), {"connection": "shop", "kind": "n", "key": str(count), "value": "", "at": AT}
        )

    await asyncio.gather(*(writer.write(add_one) for writer in writers * 100))
    rows = await writers[0].read(links.select())
    await asyncio.gather(*(writer.close() for writer in writers))
    assert len(rows) == 200
