"""The server's records come back as they were given."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from socp.node import records
from socp.storage import FolderBusy, StorageError
from socp.storage.node_store import NodeStore
from tests.storage import examples
from tests.storage.examples import ACCOUNT, ALICE, BOB, HOME, NOW, PIN, RULING, SERVER, SHARE


def written(folder: Path | None, *writes: list[records.Record]) -> records.Remembered:
    """What a store remembers after these writes; when on disk, after a restart too."""
    with NodeStore.open(folder) as store:
        for write in writes:
            store.write(write)
        store.write([]).result()
        remembered = store.load()
    if folder:
        with NodeStore.open(folder) as store:
            assert store.load() == remembered
    return remembered


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "socp.db")) as connection:
        return connection.execute(sql).fetchall()


def test_every_kind_of_record_survives_a_restart(folder: Path) -> None:
    assert written(folder, list(examples.NODE_RECORDS)) == records.Remembered(
        pins=(PIN,),
        rulings=(RULING,),
        accounts=(ACCOUNT,),
        homes=(HOME,),
        shares=(SHARE,),
        channel_version=3,
        key_steps=examples.STEPS,
        revocations=(examples.REVOCATION,),
        barred=(examples.BARRED,),
    )


def test_without_a_folder_all_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert written(None, [ACCOUNT, PIN]) == records.Remembered(accounts=(ACCOUNT,), pins=(PIN,))
    assert not list(tmp_path.iterdir())


def test_a_new_store_remembers_nothing(folder: Path) -> None:
    assert written(folder) == records.Remembered()


@pytest.mark.parametrize("together", [True, False])
def test_of_two_records_with_one_key_the_later_counts(folder: Path, together: bool) -> None:
    moved = replace(HOME, server_id=BOB)
    writes: list[list[records.Record]] = [[HOME, moved]] if together else [[HOME], [moved]]
    assert written(folder, *writes).homes == (moved,)


def test_records_come_back_in_the_order_of_their_keys(folder: Path) -> None:
    bob = replace(ACCOUNT, user_id=BOB)
    assert written(folder, [bob, ACCOUNT]).accounts == (ACCOUNT, bob)


def test_a_forgotten_server_loses_its_pin_and_the_ruling_on_its_key(folder: Path) -> None:
    other = replace(PIN, server_id=BOB)
    remembered = written(
        folder, [PIN, RULING, other], [records.Forgotten(SERVER, RULING.fingerprint)]
    )
    assert remembered == records.Remembered(pins=(other,))


def test_forgetting_only_a_ruling_touches_no_pin(folder: Path) -> None:
    remembered = written(folder, [PIN, RULING, records.Forgotten("", RULING.fingerprint)])
    assert remembered == records.Remembered(pins=(PIN,))


def test_a_server_forgotten_and_pinned_again_in_one_write_is_pinned(folder: Path) -> None:
    again = replace(PIN, pubkey="MIInew")
    forgotten = records.Forgotten(SERVER, RULING.fingerprint)
    assert written(folder, [PIN, RULING, forgotten, again]).pins == (again,)


def test_a_server_pinned_and_forgotten_in_one_write_is_forgotten(folder: Path) -> None:
    assert written(folder, [PIN, records.Forgotten(SERVER, "")]).pins == ()


@pytest.mark.spec("7")
def test_a_member_keeps_the_shares_of_every_version(folder: Path) -> None:
    newer = replace(SHARE, version=4, wrapped_key="newer", frame=b"{}")
    assert written(folder, [newer, SHARE]).shares == (SHARE, newer)


@pytest.mark.spec("7")
@pytest.mark.threat("S5")
def test_a_frame_with_shares_for_many_is_stored_once(folder: Path) -> None:
    shares = [replace(SHARE, member_id=f"{n:036d}", frame=b"x" * 100_000) for n in range(50)]
    assert written(folder, list(shares)).shares == tuple(shares)
    assert query(folder, "SELECT count(*) FROM channel_frames") == [(1,)]


@pytest.mark.threat("S5")
def test_a_frame_that_no_share_uses_any_more_is_deleted(folder: Path) -> None:
    assert written(folder, [SHARE], [replace(SHARE, frame=b"{}")]).shares[0].frame == b"{}"
    assert query(folder, "SELECT frame FROM channel_frames") == [(b"{}",)]


@pytest.mark.spec("10")
def test_the_public_channel_is_a_row_of_the_standard(folder: Path) -> None:
    written(folder, [SHARE, records.ChannelVersion(5)])
    rows = query(folder, "SELECT group_id, creator_id, meta, version FROM groups")
    assert rows == [("public", "system", "{}", 5)]


@pytest.mark.spec("10")
def test_a_channel_version_counts_before_any_share_and_stays_after_one(folder: Path) -> None:
    assert written(folder, [records.ChannelVersion(5)], [SHARE]).channel_version == 5


@pytest.mark.spec("10")
@pytest.mark.parametrize("order", [(3, 4), (4, 3)])
def test_a_group_member_has_the_wrapped_key_of_the_newest_version(
    folder: Path, order: tuple[int, int]
) -> None:
    writes: list[list[records.Record]] = [
        [replace(SHARE, version=version, wrapped_key=f"of {version}")] for version in order
    ]
    written(folder, *writes)
    rows = query(folder, "SELECT group_id, member_id, role, wrapped_key FROM group_members")
    assert rows == [("public", ALICE, "member", "of 4")]


@pytest.mark.spec("10")
def test_a_user_has_the_fields_of_the_standard(folder: Path) -> None:
    written(folder, [ACCOUNT])
    fields = "user_id, pubkey, privkey_store, pake_password, meta ->> 'display_name', version"
    rows = query(folder, f"SELECT {fields} FROM users")
    assert rows == [(ALICE, ACCOUNT.pubkey, None, None, ACCOUNT.display_name, 1)]


@pytest.mark.spec("10")
def test_a_new_version_of_an_account_leaves_the_sealed_key_and_the_verifier(folder: Path) -> None:
    written(folder, [ACCOUNT])
    with closing(sqlite3.connect(folder / "socp.db")) as connection, connection:
        connection.execute("UPDATE users SET privkey_store = 'sealed', pake_password = 'verifier'")
    written(folder, [replace(ACCOUNT, version=2)])
    rows = query(folder, "SELECT version, privkey_store, pake_password FROM users")
    assert rows == [(2, "sealed", "verifier")]


def test_a_pin_keeps_every_origin(folder: Path) -> None:
    pins = tuple(
        replace(PIN, server_id=f"{n:036d}", origin=origin)
        for n, origin in enumerate(records.PinOrigin)
    )
    assert written(folder, list(pins)).pins == pins


@pytest.mark.spec("2")
def test_the_largest_number_of_the_wire_fits(folder: Path) -> None:
    home = replace(HOME, attach_ts=2**53 - 1)
    assert written(folder, [home]).homes == (home,)


def test_the_identity_survives_a_restart(folder: Path) -> None:
    with NodeStore.open(folder) as store:
        assert store.identity() is None
        store.set_identity(SERVER)
        assert store.identity() == SERVER
    with NodeStore.open(folder) as store:
        assert store.identity() == SERVER


def test_a_row_that_we_did_not_write_is_refused_with_one_line(folder: Path) -> None:
    written(folder, [RULING])
    with closing(sqlite3.connect(folder / "socp.db")) as connection, connection:
        connection.execute("UPDATE rulings SET verdict = 'perhaps'")
    with (
        NodeStore.open(folder) as store,
        pytest.raises(StorageError, match=r"'perhaps' is not a valid Verdict.*; restore a backup"),
    ):
        store.load()


def test_what_is_written_after_closing_fails_and_says_so(folder: Path) -> None:
    store = NodeStore.open(folder)
    store.close()
    fault = store.write([RULING]).exception()
    assert str(fault) == f"{folder / 'socp.db'} is closed; nothing more is stored"


def test_closing_stores_what_is_queued(folder: Path) -> None:
    store = NodeStore.open(folder)
    futures = [store.write([replace(RULING, ruled_ms=NOW + n)]) for n in range(100)]
    store.close()
    assert all(future.result(timeout=0) is None for future in futures)
    assert written(folder).rulings == (replace(RULING, ruled_ms=NOW + 99),)


def test_closing_twice_is_harmless(folder: Path) -> None:
    store = NodeStore.open(folder)
    store.close()
    with NodeStore.open(folder):
        store.close()
        with pytest.raises(FolderBusy):
            NodeStore.open(folder)
