"""Key and database belong together: a start with one of them changed or lost is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from socp.server import opening, places
from socp.server.faults import StartFault
from socp.storage import FolderBusy, FolderLock
from socp.storage.whose import Identity
from tests.keys import StoredKeys
from tests.site import Site
from tests.storage.examples import SERVER

SUITE = StoredKeys()
pytestmark = pytest.mark.threat("S8")


def started(site: Site) -> tuple[str, str]:
    """The id and fingerprint of a server that starts there, and stops."""
    opened = opening.open_all(site.folder, SUITE, site.address)
    opened.store.close()
    return opened.server_id, opened.key.public.fingerprint


def refusal(site: Site) -> str:
    with pytest.raises(StartFault) as fault:
        opening.open_all(site.folder, SUITE, site.address)
    return str(fault.value)


def test_id_and_key_are_the_same_at_every_start(site: Site) -> None:
    assert started(site) == started(site)


def test_another_key_file_is_refused_with_the_remedy(site: Site) -> None:
    server_id, former = started(site)
    key = site.folder / places.KEY_FILE
    key.unlink()
    other = site.folder.parent / "other"
    found = started(Site(other, None))[1]
    (other / places.KEY_FILE).rename(key)
    assert refusal(site) == (
        f"{key} is another server's key ({found[:16]}…) than that of server {server_id} in "
        f"{site.place} ({former[:16]}…): restore both from the same backup, or move one of them "
        "away"
    )


def test_a_lost_key_file_is_not_replaced_by_a_new_key(site: Site) -> None:
    server_id, _ = started(site)
    key = site.folder / places.KEY_FILE
    key.unlink()
    assert refusal(site) == (
        f"{key} is missing, the key of server {server_id} whose database is {site.place}: "
        "restore both from the same backup, or move the database away to start as a new server"
    )
    assert not key.exists()


def said(folder: Path) -> tuple[str, str] | None:
    """The id and fingerprint that a server may say before its store is open."""
    who = opening.known(folder, SUITE)
    if who is None:
        return None
    who.lock.release()
    return who.server_id, who.key.public.fingerprint


def test_a_server_that_was_here_before_is_known_before_its_store_is_open(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", None)
    assert said(site.folder) is None
    assert not site.folder.exists(), "nothing is made for the question"
    first = started(site)
    assert said(site.folder) == first
    assert started(site) == first


@pytest.fixture
def known_site(tmp_path: Path) -> tuple[Site, opening.Known]:
    """A server that said who it is, and goes on to open its store."""
    site = Site(tmp_path / "data", None)
    started(site)
    said = opening.known(site.folder, SUITE)
    assert said is not None
    return site, said


def test_who_said_who_it_is_goes_on_with_the_same_key_and_under_the_same_lock(
    known_site: tuple[Site, opening.Known],
) -> None:
    site, said = known_site
    with pytest.raises(FolderBusy):
        FolderLock.take(site.folder)
    (site.folder / places.KEY_FILE).unlink()  # it was read
    opened = opening.open_all(site.folder, SUITE, said=said)
    assert (opened.server_id, opened.key) == (said.server_id, said.key)
    with pytest.raises(FolderBusy):
        FolderLock.take(site.folder)
    opened.store.close()
    FolderLock.take(site.folder).release()


@pytest.mark.parametrize(
    ("meanwhile", "is_now"),
    [
        (f"UPDATE identity SET server_id = '{SERVER}'", f"that of server {SERVER}"),
        ("UPDATE identity SET fingerprint = server_id", "that of server "),
        ("DELETE FROM identity", "nobody's"),
    ],
)
def test_a_store_that_is_not_whose_it_was_said_to_be_ends_the_start(
    known_site: tuple[Site, opening.Known], meanwhile: str, is_now: str
) -> None:
    site, said = known_site
    site.ask(meanwhile)
    with pytest.raises(StartFault) as fault:
        opening.open_all(site.folder, SUITE, said=said)
    assert str(fault.value).startswith(
        f"{site.place} was server {said.server_id}'s when this start began, and is {is_now}"
    )
    assert str(fault.value).endswith(
        ": make sure that no other program writes there, and start again"
    )
    FolderLock.take(site.folder).release()


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE alembic_version SET version_num = 'node_0005'",
        "UPDATE identity SET fingerprint = NULL",
        "DELETE FROM identity",
        "DROP TABLE alembic_version",
    ],
)
def test_only_what_is_plain_is_said_before_the_store_is_open(tmp_path: Path, wrong: str) -> None:
    site = Site(tmp_path / "data", None)
    started(site)
    site.ask(wrong)
    assert said(site.folder) is None


@pytest.mark.parametrize("name", [places.KEY_FILE, places.DATABASE_FILE])
def test_nothing_is_said_of_a_damaged_or_missing_file(tmp_path: Path, name: str) -> None:
    site = Site(tmp_path / "data", None)
    started(site)
    (site.folder / name).write_bytes(b"x" * 5000)
    assert said(site.folder) is None
    (site.folder / name).unlink()
    assert said(site.folder) is None


def test_nothing_is_said_with_anothers_key_or_beside_the_server_itself(tmp_path: Path) -> None:
    site, other = Site(tmp_path / "data", None), Site(tmp_path / "other", None)
    started(site)
    started(other)
    with site.open():
        assert said(site.folder) is None
    (other.folder / places.KEY_FILE).rename(site.folder / places.KEY_FILE)
    assert said(site.folder) is None
    (site.folder / places.DATABASE_NOTE).touch()
    assert said(site.folder) is None


def test_the_database_of_another_server_is_refused(site: Site, tmp_path: Path) -> None:
    first, _ = started(site)
    other = Site(tmp_path / "other", None)
    started(other)
    if site.address is not None:
        (other.folder / places.DATABASE_FILE).unlink()
        assert f"that of server {first}" in refusal(Site(other.folder, site.address))
    else:
        (site.folder / places.DATABASE_FILE).rename(other.folder / places.DATABASE_FILE)
        assert f"that of server {first}" in refusal(other)


def test_a_database_of_before_keys_were_noted_learns_its_key_once(site: Site) -> None:
    _, fingerprint = started(site)
    with site.open() as store:
        store.set_identity(Identity(SERVER, None))
    assert started(site) == (SERVER, fingerprint)
    with site.open() as store:
        assert store.identity() == Identity(SERVER, fingerprint)


def test_a_refused_start_lets_go_of_folder_and_database(site: Site) -> None:
    started(site)
    key = site.folder / places.KEY_FILE
    kept = key.read_bytes()
    key.unlink()
    refusal(site)
    key.write_bytes(kept)
    key.chmod(0o600)
    started(site)


@pytest.mark.needs("postgresql")
def test_a_folder_whose_database_is_elsewhere_starts_only_with_it(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = request.getfixturevalue("cluster").make()
    folder = tmp_path / "data"
    started(Site(folder, address))
    assert refusal(Site(folder, None)) == (
        f"{folder} belongs to the database at {address}: give its --database, or choose another "
        "--data-dir"
    )
    assert not (folder / places.DATABASE_FILE).exists()


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("emptied", [False, True])
def test_a_key_whose_database_is_noted_is_no_new_server_in_an_empty_one(
    emptied: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The old key with a new id would be a stranger with the old server's name."""
    cluster = request.getfixturevalue("cluster")
    first = Site(tmp_path / "data", cluster.make())
    before = started(first)
    if emptied:
        first.ask("DROP SCHEMA public CASCADE")
        first.ask("CREATE SCHEMA public")
    other = first if emptied else Site(first.folder, cluster.make())
    assert refusal(other) == (
        f"{first.folder} has the key of a server whose database is {first.place}, and "
        f"{other.place} is empty: give that --database as it was, restore a backup, or move "
        "server_key.pem and database.txt away to start as a new server"
    )
    if not emptied:
        assert started(first) == before


@pytest.mark.needs("postgresql")
def test_the_note_is_written_once_and_one_that_cannot_be_read_is_one_line(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    site = Site(tmp_path / "data", request.getfixturevalue("cluster").make())
    started(site)
    note = site.folder / places.DATABASE_NOTE
    assert note.stat().st_mode & 0o777 == 0o600
    note.chmod(0o400)
    os.utime(note, (0, 0))
    started(site)  # on a full disk, too
    assert note.stat().st_mtime == 0
    note.unlink()
    note.mkdir()
    for address in (site.address, None):
        assert refusal(Site(site.folder, address)).startswith(f"{note} cannot be read: Is a dir")


def test_a_folder_whose_name_is_too_long_is_one_line() -> None:
    assert "cannot be used: File name too long" in refusal(Site(Path("a" * 300), None))


@pytest.mark.needs("postgresql")
def test_a_folder_with_a_database_of_its_own_is_not_mixed_with_another(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = request.getfixturevalue("cluster").make()
    folder = tmp_path / "data"
    started(Site(folder, None))
    assert "socp.db: start without --database; or take a backup" in refusal(Site(folder, address))


@pytest.mark.needs("postgresql")
@pytest.mark.threat("P5")
def test_the_folder_keeps_no_password(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    cluster = request.getfixturevalue("cluster")
    site = Site(tmp_path / "data", cluster.make())
    started(site)
    for file in site.folder.iterdir():
        assert b"cret" not in file.read_bytes()
