"""Rows under the vault's seal (threat P4)."""

from __future__ import annotations

import inspect
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from socp.crypto.vault import Vault
from socp.member import records
from socp.storage import StorageError, seen_rows
from socp.storage.profile_store import ProfileStore
from tests.storage import examples
from tests.storage.examples import ALICE, BOB, CONTACT, SEEN, a_vault


def rows(folder: Path, statement: str) -> list[tuple[bytes, bytes]]:
    with closing(sqlite3.connect(folder / "socp.db")) as connection, connection:
        return connection.execute(statement).fetchall()


@pytest.mark.threat("P4")
def test_no_text_name_id_or_key_is_in_the_files(folder: Path) -> None:
    with ProfileStore.open(folder, a_vault):
        tables = b"".join(file.read_bytes() for file in folder.iterdir())  # and their names
    with ProfileStore.open(folder, a_vault) as store:
        store.set_settings(examples.SETTINGS)
        store.write(examples.MEMBER_RECORDS).result()
        kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert len(kept) > 10_000
    for record in (examples.SETTINGS, *examples.MEMBER_RECORDS):
        for member in inspect.signature(type(record)).parameters:
            value = getattr(record, member)
            for part in value if isinstance(value, tuple) else (value,):
                raw = part.encode() if isinstance(part, str) else part
                if isinstance(raw, bytes) and len(raw) > 3 and raw not in tables:
                    assert raw not in kept, member


@pytest.mark.threat("P4")
def test_another_vault_opens_nothing_and_says_so_in_one_line(folder: Path) -> None:
    with ProfileStore.open(folder, a_vault) as store:
        store.write([CONTACT]).result()
    with (
        ProfileStore.open(folder, lambda: Vault(b"x" * 32)) as store,
        pytest.raises(StorageError, match=r"key does not open\); restore a backup"),
    ):
        store.load()


@pytest.mark.threat("P4")
def test_a_row_put_in_anothers_place_is_refused(folder: Path) -> None:
    with ProfileStore.open(folder, a_vault) as store:
        store.write([CONTACT, structs.replace(CONTACT, user_id=ALICE)]).result()
    rows(folder, "UPDATE contacts SET sealed = (SELECT max(sealed) FROM contacts)")
    with ProfileStore.open(folder, a_vault) as store, pytest.raises(StorageError, match="key does"):
        store.load()


def test_a_lock_is_let_go_of_where_nothing_unlocks(folder: Path) -> None:
    def nothing() -> Vault:
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            ProfileStore.open(folder, nothing)


@pytest.mark.threat("M2")
def test_what_was_seen_is_kept_in_few_rows_and_comes_back_in_its_order(folder: Path) -> None:
    seen = [SEEN._replace(msg_ref=f"{n:043d}", author=(ALICE, BOB)[n % 2]) for n in range(600)]
    with ProfileStore.open(folder, a_vault) as store:
        for one in seen:
            store.write([one]).result()
        assert store.load().seen == tuple(seen)
    assert len(rows(folder, "SELECT * FROM seen")) < seen_rows.FOLD_EVERY
    with ProfileStore.open(folder, a_vault) as store:
        assert store.load() == records.Remembered(seen=tuple(seen))
