"""Backup, restore and check, from either database to either database."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from socp.cli.admin import command
from socp.node import queries, records
from socp.server import opening, places
from socp.server.opening import Opened
from socp.storage import FolderLock, StorageError, sqlite
from socp.storage.node_store import NodeStore
from tests.keys import StoredKeys
from tests.postgres import Postgres
from tests.site import DATABASES, Site, new_site
from tests.storage.examples import ALICE, MAIL, NODE_RECORDS, NOW, POST

PATIENCE_S = 60
SUITE = StoredKeys()
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Type `socp admin --data-dir ... VERB ...`: the exit code, and all that was said."""

    def say(site: Site, verb: str, *arguments: object) -> tuple[int, str]:
        typed = ["--data-dir", str(site.folder), verb, *map(str, arguments)]
        if site.address is not None:
            typed += ["--database", site.address.dsn]
        code = command.main(typed, standalone_mode=False)
        told = capsys.readouterr()
        return code, told.out + told.err

    return say


@pytest.fixture(params=DATABASES)
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Where nothing is yet, for a server to be restored."""
    with new_site(request, tmp_path / "elsewhere") as site:
        yield site


def start(site: Site) -> Opened:
    return opening.open_all(site.folder, SUITE, site.address)


def fill(site: Site) -> tuple[str, str, records.Remembered]:
    """A server with something of everything, stopped: its id, key and memory."""
    opened = start(site)
    with opened.store as store:
        store.write([*NODE_RECORDS, MAIL, POST, records.Cursor(ALICE, 1)]).result(PATIENCE_S)
        return opened.server_id, opened.key.public.fingerprint, store.load(NOW)


@pytest.fixture
def filled(site: Site) -> Site:
    fill(site)
    return site


def test_a_restored_server_is_the_same_server(
    site: Site, elsewhere: Site, tmp_path: Path, say: Say
) -> None:
    server_id, fingerprint, remembered = fill(site)
    file = tmp_path / "kept"
    code, told = say(site, "backup", file)
    assert code == 0
    assert f"server {server_id} is in {file}: 1 users, 1 servers, 1 mail, 1 posts" in told
    assert "it holds the server's private key" in told
    code, told = say(elsewhere, "restore", file)
    assert (code, told) == (
        0,
        f"server {server_id} is in {elsewhere.folder}: 1 users, 1 servers, 1 mail, 1 posts\n",
    )
    opened = start(elsewhere)
    with opened.store as store:
        assert (opened.server_id, opened.key.public.fingerprint) == (server_id, fingerprint)
        assert not opened.key_is_new
        assert store.load(NOW) == remembered
        page = store.ask(queries.LoadMail(ALICE, 0, 9, 9999)).result(PATIENCE_S)
        assert page == queries.MailPage((MAIL,), more=False)


@pytest.mark.threat("P3")
def test_what_is_written_is_for_its_owner_only(filled: Site, tmp_path: Path, say: Say) -> None:
    file, other = tmp_path / "kept", Site(tmp_path / "other", None)
    say(filled, "backup", file)
    say(other, "restore", file)
    key = other.folder / places.KEY_FILE
    for private in (file, key, other.folder / places.DATABASE_FILE):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(other.folder.stat().st_mode) == 0o700
    assert {path.name for path in tmp_path.iterdir()} == {"data", "kept", "other"}


@pytest.mark.threat("S8")
def test_nothing_acknowledged_before_a_backup_began_is_missing_from_it(
    site: Site, elsewhere: Site, tmp_path: Path, say: Say
) -> None:
    opened = start(site)
    done, half, stop = 0, threading.Event(), threading.Event()

    def write() -> None:
        nonlocal done
        while not stop.is_set():
            pieces = [piece(number) for number in range(done + 1, done + 21)]
            for future in [opened.store.write([one]) for one in pieces]:
                future.result(PATIENCE_S)
            done += 20
            if done >= 200:
                half.set()

    writer = threading.Thread(target=write)
    with opened.store:
        writer.start()
        try:
            assert half.wait(PATIENCE_S)
            before = done
            code, told = say(site, "backup", tmp_path / "kept")
        finally:
            stop.set()
            writer.join()
    assert code == 0, told
    assert say(elsewhere, "restore", tmp_path / "kept")[0] == 0
    with elsewhere.open() as store:
        page = store.ask(queries.LoadMail(ALICE, 0, 100_000, 10**9)).result(PATIENCE_S)
    assert isinstance(page, queries.MailPage)
    assert len(page.mail) >= before
    assert page.mail == tuple(piece(number) for number in range(1, len(page.mail) + 1))


def piece(number: int) -> records.Mail:
    return structs.replace(MAIL, seq=number, msg_ref=f"{number:043d}")


def test_a_check_works_beside_a_running_server(site: Site, say: Say) -> None:
    opened = start(site)
    with opened.store as store:
        store.write([MAIL]).result(PATIENCE_S)
        code, told = say(site, "check")
        store.write([POST]).result(PATIENCE_S)
    assert code == 0
    assert f"{site.place}: whole, format " in told
    assert f"server {opened.server_id}, whose key {opened.key.public.fingerprint}" in told
    assert "0 users, 0 servers, 1 mail, 0 posts" in told


def test_a_backup_in_a_folder_gets_a_name_of_its_own(
    filled: Site, tmp_path: Path, say: Say
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    assert say(filled, "backup", kept)[0] == 0
    [file] = kept.iterdir()
    assert file.name.startswith("socp-")
    assert file.suffix == ".backup"


def test_a_file_that_is_there_is_never_overwritten(filled: Site, tmp_path: Path, say: Say) -> None:
    file = tmp_path / "kept"
    file.write_text("precious")
    code, told = say(filled, "backup", file)
    assert (code, told) == (
        1,
        f"socp admin: {file} is there already; choose another name, or a folder\n",
    )
    assert file.read_text() == "precious"


@pytest.mark.threat("S8")
def test_a_backup_that_fails_leaves_nothing(
    filled: Site, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite, "add_rows", full)
    code, told = say(filled, "backup", tmp_path / "kept")
    assert code == 1
    assert told.startswith("socp admin: ")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_place_that_cannot_be_written_is_one_line(filled: Site, tmp_path: Path, say: Say) -> None:
    file = tmp_path / "absent" / "kept"
    code, told = say(filled, "backup", file)
    assert (code, told) == (
        1,
        f"socp admin: {file} cannot be written: No such file or directory; choose another place\n",
    )


def test_names_that_are_too_long_are_one_line(filled: Site, tmp_path: Path, say: Say) -> None:
    name = tmp_path / ("a" * 300)
    nowhere = Site(name, filled.address)
    for told in (
        say(filled, "backup", name),
        say(filled, "restore", name),
        say(nowhere, "check"),
        say(nowhere, "backup", tmp_path / "kept"),
    ):
        assert told[0] == 1
        assert told[1].startswith("socp admin: ")
        assert told[1].count("\n") == 1


def test_nothing_is_restored_over_a_server(filled: Site, tmp_path: Path, say: Say) -> None:
    file = tmp_path / "kept"
    say(filled, "backup", file)
    code, told = say(filled, "restore", file)
    assert code == 1
    assert "is not empty (" in told
    assert "nothing is replaced" in told


@pytest.mark.needs("postgresql")
def test_nothing_is_restored_into_a_database_with_tables(
    filled: Site, tmp_path: Path, say: Say, cluster: Postgres
) -> None:
    say(filled, "backup", tmp_path / "kept")
    other = Site(tmp_path / "other", cluster.make())
    other.ask("CREATE TABLE recipes (name TEXT)")
    code, told = say(other, "restore", tmp_path / "kept")
    assert code == 1
    assert f"{other.place} is not empty" in told
    assert not (other.folder / places.KEY_FILE).exists()


def test_nothing_is_restored_where_a_server_runs(filled: Site, tmp_path: Path, say: Say) -> None:
    say(filled, "backup", tmp_path / "kept")
    with FolderLock.take(tmp_path / "other"):
        code, told = say(Site(tmp_path / "other", None), "restore", tmp_path / "kept")
    assert code == 1
    assert "is in use by process" in told


@pytest.mark.threat("S8")
def test_a_damaged_backup_is_refused_and_nothing_made_of_it(
    filled: Site, elsewhere: Site, tmp_path: Path, say: Say
) -> None:
    file = tmp_path / "kept"
    say(filled, "backup", file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xa5" * 8192
    file.write_bytes(content)
    code, told = say(elsewhere, "restore", file)
    assert code == 1
    assert "damaged" in told
    assert not elsewhere.folder.exists()


def test_what_is_no_backup_is_one_line(
    elsewhere: Site, filled: Site, tmp_path: Path, say: Say
) -> None:
    text = tmp_path / "text"
    text.write_text("this is a text, of more than a hundred bytes" * 10)
    assert "not a database" in say(elsewhere, "restore", text)[1]
    absent = tmp_path / "absent"
    line = f"socp admin: {absent} is not there; give a file that socp admin backup made\n"
    assert say(elsewhere, "restore", absent) == (1, line)


def test_a_copy_of_a_database_without_its_key_is_refused(
    elsewhere: Site, tmp_path: Path, say: Say
) -> None:
    site = Site(tmp_path / "data", None)
    fill(site)
    copy = tmp_path / "socp.db.format-1.bak"
    shutil.copy(site.folder / "socp.db", copy)
    code, told = say(elsewhere, "restore", copy)
    assert code == 1
    assert "is a copy of a database alone, without its key; put it back as socp.db" in told


def test_a_check_finds_the_wrong_key(filled: Site, tmp_path: Path, say: Say) -> None:
    other = Site(tmp_path / "other", None)
    fill(other)
    shutil.copy(other.folder / places.KEY_FILE, filled.folder / places.KEY_FILE)
    code, told = say(filled, "check")
    assert code == 1
    assert "restore both from the same backup" in told


def test_a_check_finds_a_lost_key(filled: Site, say: Say) -> None:
    (filled.folder / places.KEY_FILE).unlink()
    code, told = say(filled, "check")
    assert code == 1
    assert "cannot be read: No such file or directory; restore it from a backup" in told


@pytest.mark.threat("S8")
def test_a_check_finds_damage_and_rows_that_refer_to_nothing(tmp_path: Path, say: Say) -> None:
    site = Site(tmp_path / "data", None)
    fill(site)
    with closing(sqlite3.connect(site.folder / "socp.db")) as connection, connection:
        connection.execute("DELETE FROM channel_frames")
    code, told = say(site, "check")
    assert code == 1
    assert "is damaged (rows refer to what is not there)" in told
    file = site.folder / "socp.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 8192 * 4096])
    code, told = say(site, "check")
    assert code == 1
    assert "damaged" in told


def test_a_check_where_nothing_is_says_so(tmp_path: Path, say: Say) -> None:
    code, told = say(Site(tmp_path, None), "check")
    assert code == 1
    assert f"{tmp_path} has no socp.db" in told


def test_a_backup_of_the_first_format_can_be_restored_and_is_upgraded_at_the_start(
    elsewhere: Site, tmp_path: Path, say: Say
) -> None:
    site = Site(tmp_path / "data", None)
    server_id, _, remembered = fill(site)
    file = tmp_path / "kept"
    say(site, "backup", file)
    to_first_format(file)
    assert say(elsewhere, "restore", file)[0] == 0
    opened = start(elsewhere)
    with opened.store as store:
        assert opened.server_id == server_id
        assert opened.store.backup is not None
        assert store.load(NOW).accounts == remembered.accounts
        assert store.load(NOW).shares == remembered.shares


LATER_TABLES = (
    *("mail", "posts", "cursors", "mail_counter", "tenant"),
    *("login_setup", "invitations"),
    *("key_history", "revocations", "barred_users"),
)


def to_first_format(file: Path) -> None:
    """As a former version wrote it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for table in LATER_TABLES:
            connection.execute(f"DROP TABLE {table}")
        for column in ("attach_sig", "features"):
            connection.execute(f"ALTER TABLE user_homes DROP COLUMN {column}")
        connection.execute("ALTER TABLE identity DROP COLUMN fingerprint")
        connection.execute("UPDATE alembic_version SET version_num = 'node_0001'")


def test_the_copy_that_an_upgrade_leaves_can_be_restored(
    elsewhere: Site, tmp_path: Path, say: Say
) -> None:
    """Of PostgreSQL; of a file it is the file itself, to be put back as it was."""
    site = Site(tmp_path / "data", None)
    fill(site)
    say(site, "backup", tmp_path / "kept")
    to_first_format(tmp_path / "kept")
    say(elsewhere, "restore", tmp_path / "kept")
    opened = start(elsewhere)
    opened.store.close()
    copy = opened.store.backup
    assert copy == elsewhere.folder / "socp.db.format-1.bak"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    again = Site(tmp_path / "again", None)
    if elsewhere.address is not None:
        assert say(again, "restore", copy)[0] == 0
    else:
        again.folder.mkdir(mode=0o700)
        shutil.copy(copy, again.folder / "socp.db")
        shutil.copy(elsewhere.folder / places.KEY_FILE, again.folder / places.KEY_FILE)
    opened_again = start(again)
    opened_again.store.close()
    assert opened_again.server_id == opened.server_id


def test_a_store_that_is_locked_by_another_server_is_backed_up_all_the_same(
    filled: Site, tmp_path: Path, say: Say
) -> None:
    with filled.open():
        with pytest.raises(StorageError):
            NodeStore.open(filled.folder, filled.address)
        assert say(filled, "backup", tmp_path / "kept")[0] == 0
