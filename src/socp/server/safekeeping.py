"""Backup, restore and check of a server's data folder and database, for `socp admin`.

All of it blocks, and works beside a running server, except restore, which wants an empty place.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from socp.crypto.keys import KeyRefused, RsaSuite
from socp.keystore import KeyFileError, pem, put
from socp.server import opening, places
from socp.server.faults import StartFault
from socp.storage import FolderLock, StorageError
from socp.storage import backup as storage
from socp.storage.address import PostgresAddress
from socp.storage.database import connect
from socp.storage.dialect import Dialect
from socp.storage.folder_lock import FILE_NAME as LOCK_FILE
from socp.storage.inspection import Facts, Reader
from socp.storage.node_schema import SCHEMA
from socp.storage.sqlite import Sqlite

FAULTS: Final = (StorageError, KeyFileError, StartFault)
SHOWN: Final = ("users", "servers", "mail", "posts")


@dataclass(frozen=True, slots=True)
class Server:
    """Where one server's things are: its folder, and its database unless that is in the folder."""

    folder: Path
    address: PostgresAddress | None

    @property
    def key_file(self) -> Path:
        return self.folder / places.KEY_FILE

    def database(self) -> Dialect:
        """Its database, to be read beside the server. StartFault where there is none."""
        opening.check_whereabouts(self.folder, self.address)
        if self.address is not None:
            return connect(None, self.address)
        file = self.folder / places.DATABASE_FILE
        if not os.path.isfile(file):
            raise StartFault(
                f"{self.folder} has no {places.DATABASE_FILE}; give the --data-dir of a server, "
                "and its --database if it has one"
            )
        return Sqlite.to_read(file)

    def key(self) -> bytes:
        """The content of its key file."""
        try:
            return self.key_file.read_bytes()
        except OSError as fault:
            raise StartFault(
                f"{self.key_file} cannot be read: {fault.strerror}; restore it from a backup, or "
                "run as the server's user"
            ) from fault


def check(server: Server) -> list[str]:
    """What is there, in lines; one of FAULTS where it is not sound."""
    facts = Reader(server.database(), SCHEMA).examine()
    fingerprint = _fitting(facts, server.key(), str(server.key_file))
    return [
        f"{facts.place}: whole, format {facts.format}",
        f"server {facts.server_id}, whose key {fingerprint} is in {server.key_file}",
        _counts(facts),
    ]


def back_up(server: Server, target: Path) -> list[str]:
    """Write a backup to `target`, a new file or a folder that is there. Lines to show."""
    key = server.key()
    facts = Reader(server.database(), SCHEMA).examine()
    _fitting(facts, key, str(server.key_file))
    if os.path.isdir(target):
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        target /= f"socp-{facts.server_id[:8]}-{stamp}.backup"
    database = server.database()
    try:
        storage.write(database, SCHEMA, {places.KEY_FILE: key}, target)
    finally:
        database.close()
    made = Reader(Sqlite.to_read(target), SCHEMA).examine()
    return [
        f"server {made.server_id} is in {target}: {_counts(made)}",
        "it holds the server's private key: keep it where only you can read it",
    ]


def restore(file: Path, server: Server) -> list[str]:
    """Make `server` of a backup. Its folder must be empty or absent, its database too."""
    if not os.path.isfile(file):
        raise StartFault(f"{file} is not there; give a file that socp admin backup made")
    facts = Reader(Sqlite.to_read(file), SCHEMA).examine()
    key = storage.files_in(file).get(places.KEY_FILE)
    if key is None:
        raise StartFault(
            f"{file} is a copy of a database alone, without its key; put it back as "
            f"{places.DATABASE_FILE} beside the {places.KEY_FILE} it belongs to"
        )
    _fitting(facts, key, f"the key in {file}")
    _check_empty(server.folder)
    with FolderLock.take(server.folder):
        if server.address is not None:
            database = connect(None, server.address)
            try:
                storage.restore(file, SCHEMA, database)
            finally:
                database.close()
            opening.note(server.folder, server.address)
        else:
            storage.restore_file(file, SCHEMA, server.folder / places.DATABASE_FILE)
        put(server.key_file, key)  # last: without it no server starts on half of this
    return [f"server {facts.server_id} is in {server.folder}: {_counts(facts)}"]


def _fitting(facts: Facts, key: bytes, where: str) -> str:
    """The fingerprint of the key, which must be the one the database knows."""
    try:
        found = RsaSuite().load_private(pem.unarmour(key)).public.fingerprint
    except KeyRefused as refused:
        raise StartFault(f"{where} is no key we can use: {refused}; use a backup") from refused
    if facts.fingerprint not in (None, found):
        raise StartFault(
            f"{where} ({found[:16]}…) is not the key of server {facts.server_id} in {facts.place} "
            f"({str(facts.fingerprint)[:16]}…); restore both from the same backup"
        )
    return found


def _check_empty(folder: Path) -> None:
    try:
        there = sorted(file.name for file in folder.iterdir() if file.name != LOCK_FILE)
    except FileNotFoundError:
        return
    except OSError as fault:
        raise StartFault(f"{folder} cannot be read: {fault.strerror}; choose another") from fault
    if there:
        raise StartFault(
            f"{folder} is not empty ({', '.join(there[:3])}); nothing is replaced: move that away, "
            "or give another --data-dir"
        )


def _counts(facts: Facts) -> str:
    return ", ".join(f"{facts.counts[name]} {name}" for name in SHOWN if name in facts.counts)
