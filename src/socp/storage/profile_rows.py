"""Which record of the client's goes where: one table of data. A new kind of record is one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, get_args

from sqlalchemy import Connection

from socp.crypto.rotation import KeyStep, Revocation
from socp.crypto.vault import Vault
from socp.member import records
from socp.member.draft import KeptDraft, is_empty
from socp.member.records import FileStage, LineState
from socp.member.taken_back import wordless, words_of
from socp.storage import history_rows, sealed_rows, seen_rows
from socp.storage import profile_schema as tables
from socp.storage.sealed_rows import Kind, SealedBatch

Kept = records.Record | KeptDraft
"""What the brain remembers, and what whoever types at it does."""


def _always(_record: object) -> bool:
    return True


def _handed_over(line: records.OutboxLine) -> bool:
    """Its text has no business in the outbox after that."""
    return line.state is LineState.DONE


def _nothing_to_know(file: records.OutgoingFile | records.IncomingFile) -> bool:
    """Neither end will ask for it any more."""
    return file.stage is FileStage.OVER


SETTINGS: Final = Kind(records.Settings, tables.settings, ())


def _nothing_typed(kept: KeptDraft) -> bool:
    """There is nothing to go on with."""
    return is_empty(kept.draft)


DRAFTS: Final = Kind(KeptDraft, tables.drafts, ("talk",), over=_nothing_typed)
SENT: Final = Kind(records.SentLine, tables.sent, ("to", "run", "seq"))
KINDS: Final = (
    Kind(records.Contact, tables.contacts, ("user_id",), "contacts"),
    Kind(records.PublicChoice, tables.readers, ()),
    Kind(records.KnownServer, tables.servers, ("server_id",), "servers"),
    Kind(records.OutboxLine, tables.outbox, ("line_id",), "outbox", over=_handed_over),
    Kind(records.Arrived, tables.arrived, ("number",), "arrived"),
    Kind(records.ArrivedShown, tables.arrived, ("number",), over=_always),
    Kind(
        records.ChannelKey,
        tables.channel_keys,
        ("version", "fingerprint"),
        "channel_keys",
        over=lambda key: not key.private,
    ),
    Kind(KeyStep, tables.key_history, ("user_id", "version"), "key_steps"),
    Kind(Revocation, tables.revocations, ("user_id",), "revocations"),
    Kind(records.Numbered, tables.numbered, ("to",), "numbered"),
    SENT,
    Kind(records.SentGone, tables.sent, ("to", "run", "seq"), over=_always),
    Kind(records.Shelf, tables.shelves, ("to",), "shelves"),
    Kind(
        records.Thread,
        tables.threads,
        ("author", "public", "run"),
        "threads",
        over=lambda thread: thread.seq == 0,
    ),
    Kind(
        records.OutgoingFile,
        tables.outgoing_files,
        ("file_id",),
        "outgoing_files",
        over=_nothing_to_know,
    ),
    Kind(
        records.IncomingFile,
        tables.incoming_files,
        ("author", "file_id"),
        "incoming_files",
        over=_nothing_to_know,
    ),
    DRAFTS,
)
OF: Final = sealed_rows.by_record(KINDS)

_HISTORY: Final = get_args(history_rows.HistoryRecord)
_OWN_SHAPE: Final = {records.Seen, records.SentTakenBack, *_HISTORY}  # not one row each
assert OF.keys() | _OWN_SHAPE == set(get_args(Kept)), "a record without a place"


def apply(connection: Connection, vault: Vault, records_: Sequence[Kept]) -> None:
    """Carry them out, in order: no table refers to another."""
    batch, seen, said = SealedBatch(vault), [], []
    for record in records_:
        if isinstance(record, records.Seen):
            seen.append(record)
        elif isinstance(record, _HISTORY):
            said.append(record)
        elif isinstance(record, records.SentTakenBack):
            batch.flush(connection)  # it is about what was sent before
            _take_back(connection, vault, record)
        else:
            batch.add(OF[type(record)], record)
    batch.flush(connection)
    if seen:
        seen_rows.append(connection, vault, seen)
    if said:
        history_rows.apply(connection, vault, said)


def _take_back(connection: Connection, vault: Vault, record: records.SentTakenBack) -> None:
    batch = SealedBatch(vault)
    numbers = range(record.first, record.last + 1)
    for one in _sent(connection, vault, record.to, record.run, numbers):
        if record.of in words_of(one.line):
            batch.add(SENT, replace(one, line=wordless(one.line, record.of)))
    batch.flush(connection)


def load(connection: Connection, vault: Vault) -> records.Remembered:
    """Everything that is known from the start on, in the order of the keys."""
    found: dict[str, Any] = {
        kind.loaded_as: sealed_rows.read(connection, vault, kind)
        for kind in KINDS
        if kind.loaded_as
    }
    chosen = sealed_rows.read(connection, vault, OF[records.PublicChoice])
    return records.Remembered(
        seen=seen_rows.load(connection, vault),
        last_said=history_rows.last_number(connection),
        public_choice=chosen[0] if chosen else records.PublicChoice(),
        **found,
    )


def sent(
    connection: Connection, vault: Vault, to: str, run: str, seqs: Sequence[int]
) -> tuple[records.OutboxLine, ...]:
    """Those of our messages to somebody that are kept."""
    return tuple(one.line for one in _sent(connection, vault, to, run, seqs))


def _sent(
    connection: Connection, vault: Vault, to: str, run: str, seqs: Iterable[int]
) -> Iterator[records.SentLine]:
    names = (SENT.name_of(vault, to, run, seq) for seq in seqs)
    return sealed_rows.find(connection, vault, SENT, names)


def drafts(connection: Connection, vault: Vault) -> tuple[KeptDraft, ...]:
    """What was typed and not said, the longest kept first."""
    found: tuple[KeptDraft, ...] = sealed_rows.read(connection, vault, DRAFTS)
    return tuple(sorted(found, key=lambda kept: kept.kept_ms))


def put_settings(connection: Connection, vault: Vault, settings: records.Settings) -> None:
    """What the person chose from now on."""
    batch = SealedBatch(vault)
    batch.add(SETTINGS, settings)
    batch.flush(connection)


def settings(connection: Connection, vault: Vault) -> records.Settings | None:
    """What the person chose; None in a new profile."""
    found: tuple[records.Settings, ...] = sealed_rows.read(connection, vault, SETTINGS)
    return found[0] if found else None
