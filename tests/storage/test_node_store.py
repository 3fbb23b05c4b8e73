"""The server's records come back as they were given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from socp.node import records
from socp.storage import FolderBusy, StorageError
from socp.storage.node_store import NodeStore
from socp.storage.whose import Identity
from tests.site import Site
from tests.storage import examples
from tests.storage.examples import ACCOUNT, ALICE, BOB, HOME, NOW, PIN, RULING, SERVER, SHARE


def written(site: Site, *writes: list[records.Record]) -> records.Remembered:
    """What a store remembers after these writes, and after a restart too."""
    with site.open() as store:
        for write in writes:
            store.write(write)
        store.write([]).result()
        remembered = store.load()
    with site.open() as store:
        assert store.load() == remembered
    return remembered


def test_every_kind_of_record_survives_a_restart(site: Site) -> None:
    assert written(site, list(examples.NODE_RECORDS)) == records.Remembered(
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
    with NodeStore.open(None) as store:
        store.write([ACCOUNT, PIN]).result()
        assert store.load() == records.Remembered(accounts=(ACCOUNT,), pins=(PIN,))
    assert not list(tmp_path.iterdir())


def test_a_new_store_remembers_nothing(site: Site) -> None:
    assert written(site) == records.Remembered()


@pytest.mark.parametrize("together", [True, False])
def test_of_two_records_with_one_key_the_later_counts(site: Site, together: bool) -> None:
    moved = replace(HOME, server_id=BOB)
    writes: list[list[records.Record]] = [[HOME, moved]] if together else [[HOME], [moved]]
    assert written(site, *writes).homes == (moved,)


def test_records_come_back_in_the_order_of_their_keys(site: Site) -> None:
    bob = replace(ACCOUNT, user_id=BOB)
    assert written(site, [bob, ACCOUNT]).accounts == (ACCOUNT, bob)


def test_a_forgotten_server_loses_its_pin_and_the_ruling_on_its_key(site: Site) -> None:
    other = replace(PIN, server_id=BOB)
    remembered = written(
        site, [PIN, RULING, other], [records.Forgotten(SERVER, RULING.fingerprint)]
    )
    assert remembered == records.Remembered(pins=(other,))


def test_forgetting_only_a_ruling_touches_no_pin(site: Site) -> None:
    remembered = written(site, [PIN, RULING, records.Forgotten("", RULING.fingerprint)])
    assert remembered == records.Remembered(pins=(PIN,))


def test_a_server_forgotten_and_pinned_again_in_one_write_is_pinned(site: Site) -> None:
    again = replace(PIN, pubkey="MIInew")
    forgotten = records.Forgotten(SERVER, RULING.fingerprint)
    assert written(site, [PIN, RULING, forgotten, again]).pins == (again,)


def test_a_server_pinned_and_forgotten_in_one_write_is_forgotten(site: Site) -> None:
    assert written(site, [PIN, records.Forgotten(SERVER, "")]).pins == ()


@pytest.mark.spec("7")
def test_a_member_keeps_the_shares_of_every_version(site: Site) -> None:
    newer = replace(SHARE, version=4, wrapped_key="newer", frame=b"{}")
    assert written(site, [newer, SHARE]).shares == (SHARE, newer)


@pytest.mark.spec("7")
@pytest.mark.threat("S5")
def test_a_frame_with_shares_for_many_is_stored_once(site: Site) -> None:
    shares = [replace(SHARE, member_id=f"{n:036d}", frame=b"x" * 100_000) for n in range(50)]
    assert written(site, list(shares)).shares == tuple(shares)
    assert site.ask("SELECT count(*) FROM channel_frames") == [(1,)]


@pytest.mark.threat("S5")
def test_a_frame_that_no_share_uses_any_more_is_deleted(site: Site) -> None:
    assert written(site, [SHARE], [replace(SHARE, frame=b"{}")]).shares[0].frame == b"{}"
    assert site.ask("SELECT frame FROM channel_frames") == [(b"{}",)]


@pytest.mark.spec("10")
def test_the_public_channel_is_a_row_of_the_standard(site: Site) -> None:
    written(site, [SHARE, records.ChannelVersion(5)])
    rows = site.ask("SELECT group_id, creator_id, meta, version FROM groups")
    assert rows == [("public", "system", "{}", 5)]


@pytest.mark.spec("10")
def test_a_channel_version_counts_before_any_share_and_stays_after_one(site: Site) -> None:
    assert written(site, [records.ChannelVersion(5)], [SHARE]).channel_version == 5


@pytest.mark.spec("10")
@pytest.mark.parametrize("order", [(3, 4), (4, 3)])
def test_a_group_member_has_the_wrapped_key_of_the_newest_version(
    site: Site, order: tuple[int, int]
) -> None:
    writes: list[list[records.Record]] = [
        [replace(SHARE, version=version, wrapped_key=f"of {version}")] for version in order
    ]
    written(site, *writes)
    rows = site.ask("SELECT group_id, member_id, role, wrapped_key FROM group_members")
    assert rows == [("public", ALICE, "member", "of 4")]


@pytest.mark.spec("10")
def test_a_user_has_the_fields_of_the_standard(site: Site) -> None:
    written(site, [ACCOUNT])
    fields = "user_id, pubkey, privkey_store, pake_password, meta ->> 'display_name', version"
    rows = site.ask(f"SELECT {fields} FROM users")
    assert rows == [(ALICE, ACCOUNT.pubkey, None, None, ACCOUNT.display_name, 1)]


@pytest.mark.spec("10")
def test_a_new_version_of_an_account_leaves_the_sealed_key_and_the_verifier(site: Site) -> None:
    written(site, [ACCOUNT])
    site.ask("UPDATE users SET privkey_store = 'sealed', pake_password = 'verifier'")
    written(site, [replace(ACCOUNT, version=2)])
    rows = site.ask("SELECT version, privkey_store, pake_password FROM users")
    assert rows == [(2, "sealed", "verifier")]


def test_a_pin_keeps_every_origin(site: Site) -> None:
    pins = tuple(
        replace(PIN, server_id=f"{n:036d}", origin=origin)
        for n, origin in enumerate(records.PinOrigin)
    )
    assert written(site, list(pins)).pins == pins


@pytest.mark.spec("2")
def test_the_largest_number_of_the_wire_fits(site: Site) -> None:
    home = replace(HOME, attach_ts=2**53 - 1)
    assert written(site, [home]).homes == (home,)


def test_the_identity_survives_a_restart(site: Site) -> None:
    with site.open() as store:
        assert store.identity() is None
        store.set_identity(Identity(SERVER, "ab" * 32))
        assert store.identity() == Identity(SERVER, "ab" * 32)
    with site.open() as store:
        assert store.identity() == Identity(SERVER, "ab" * 32)


def test_a_row_that_we_did_not_write_is_refused_with_one_line(site: Site) -> None:
    written(site, [RULING])
    site.ask("UPDATE rulings SET verdict = 'perhaps'")
    with (
        site.open() as store,
        pytest.raises(StorageError, match=r"'perhaps' is not a valid Verdict.*; restore a backup"),
    ):
        store.load()


def test_what_is_written_after_closing_fails_and_says_so(site: Site) -> None:
    store = site.open()
    store.close()
    fault = store.write([RULING]).exception()
    assert str(fault) == f"{site.place} is closed; nothing more is stored"


def test_closing_stores_what_is_queued(site: Site) -> None:
    store = site.open()
    futures = [store.write([replace(RULING, ruled_ms=NOW + n)]) for n in range(100)]
    store.close()
    assert all(future.result(timeout=0) is None for future in futures)
    assert written(site).rulings == (replace(RULING, ruled_ms=NOW + 99),)


def test_closing_twice_is_harmless(site: Site) -> None:
    store = site.open()
    store.close()
    with site.open():
        store.close()
        with pytest.raises(FolderBusy):
            site.open()
