"""The client's records as rows, and back."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, delete, select

from socp.member import records
from socp.storage import key_rows
from socp.storage import profile_schema as tables
from socp.storage.dialect import upsert
from socp.storage.key_rows import KeyRows
from socp.storage.rows import Rows

PUT_CONTACT = upsert(tables.contacts)
PUT_SERVER = upsert(tables.servers)
PUT_SEEN = upsert(tables.seen)
PUT_LINE = upsert(tables.outbox)
DROP_LINE = delete(tables.outbox).where(tables.outbox.c.line_id == bindparam("done_id"))
PUT_KEYS = key_rows.puts(tables.key_history, tables.revocations)
PUT_ARRIVED = upsert(tables.arrived)
DROP_ARRIVED = delete(tables.arrived).where(tables.arrived.c.number == bindparam("shown"))
PUT_CHANNEL_KEY = upsert(tables.channel_keys)


class Batch:
    """Records on their way into one transaction, in any order: no table refers to another."""

    def __init__(self) -> None:
        self._contacts = Rows(PUT_CONTACT)
        self._servers = Rows(PUT_SERVER)
        self._seen = Rows(PUT_SEEN)
        self._lines = Rows(PUT_LINE)
        self._done: set[int] = set()
        self._arrived = Rows(PUT_ARRIVED)
        self._shown: set[int] = set()
        self._channel_keys = Rows(PUT_CHANNEL_KEY)
        self.keys = KeyRows(*PUT_KEYS)

    def contact(self, contact: records.Contact) -> None:
        self._contacts.set(
            contact.user_id,
            {
                "user_id": contact.user_id,
                "pubkey": contact.pubkey,
                "display_name": contact.display_name,
                "features": list(contact.features),
                "attach_ts": contact.attach_ts,
                "verified": contact.verified,
                "from_directory": contact.from_directory,
                "content_form": contact.content_form,
                "refused_key": contact.refused_key,
                "first_seen_ms": contact.first_seen_ms,
            },
        )

    def server(self, server: records.KnownServer) -> None:
        self._servers.set(
            server.server_id,
            {
                "server_id": server.server_id,
                "pubkey": server.pubkey,
                "address": server.address,
                "features": list(server.features),
                "pinned_ms": server.pinned_ms,
            },
        )

    def seen(self, seen: records.Seen) -> None:
        self._seen.set(
            seen.msg_ref,
            {
                "msg_ref": seen.msg_ref,
                "digest": seen.digest,
                "author": seen.author,
                "ts": seen.ts,
            },
        )

    def line(self, line: records.OutboxLine) -> None:
        """Keep a line until it is handed over; its text has no business here after that."""
        if line.quiet:
            return  # it does not outlive the run whose number it has
        if line.state is records.LineState.DONE:
            self._lines.drop(line.line_id)
            self._done.add(line.line_id)
            return
        self._done.discard(line.line_id)
        self._lines.set(
            line.line_id,
            {
                "line_id": line.line_id,
                "recipient": line.to,
                "text": line.text,
                "state": line.state.value,
                "frames": msgspec.msgpack.encode(line.frames),
                "msg_refs": list(line.msg_refs),
                "composed_ms": line.composed_ms,
                "reason": line.reason,
                "late": line.late,
                "sealed_to": line.sealed_to,
            },
        )

    def arrived(self, arrived: records.Arrived) -> None:
        self._shown.discard(arrived.number)
        self._arrived.set(
            arrived.number,
            {
                "number": arrived.number,
                "msg_ref": arrived.msg_ref,
                "author": arrived.author,
                "text": arrived.text,
                "ts": arrived.ts,
                "trust": arrived.trust,
                "public": arrived.public,
                "refused": arrived.refused,
            },
        )

    def shown(self, number: int) -> None:
        """What the person has seen goes; the store is no history."""
        self._arrived.drop(number)
        self._shown.add(number)

    def channel_key(self, key: records.ChannelKey) -> None:
        self._channel_keys.set(
            (key.version, key.fingerprint),
            {
                "version": key.version,
                "fingerprint": key.fingerprint,
                "channel_pub": key.channel_pub,
                "private": key.private,
                "group_key": key.group_key,
                "box": key.box,
                "creator_id": key.creator_id,
            },
        )

    def flush(self, connection: Connection) -> None:
        for rows in (
            self._contacts,
            self._servers,
            self._seen,
            self._lines,
            self._arrived,
            self._channel_keys,
            self.keys,
        ):
            rows.flush(connection)
        if self._done:
            connection.execute(DROP_LINE, [{"done_id": line_id} for line_id in self._done])
        if self._shown:
            connection.execute(DROP_ARRIVED, [{"shown": number} for number in self._shown])


def load(connection: Connection) -> records.Remembered:
    """Everything, in the order of the keys."""
    return records.Remembered(
        contacts=_contacts(connection),
        servers=tuple(
            records.KnownServer(
                server_id=row.server_id,
                pubkey=row.pubkey,
                address=row.address,
                features=tuple(row.features),
                pinned_ms=row.pinned_ms,
            )
            for row in connection.execute(
                select(tables.servers).order_by(tables.servers.c.server_id)
            )
        ),
        seen=_seen(connection),
        outbox=_outbox(connection),
        channel_keys=_channel_keys(connection),
        key_steps=key_rows.steps(
            connection,
            select(tables.key_history).order_by(
                tables.key_history.c.user_id, tables.key_history.c.version
            ),
        ),
        revocations=key_rows.revocations(connection, tables.revocations),
        arrived=_arrived(connection),
    )


def _contacts(connection: Connection) -> tuple[records.Contact, ...]:
    contacts = tables.contacts
    return tuple(
        records.Contact(
            user_id=row.user_id,
            pubkey=row.pubkey,
            display_name=row.display_name,
            features=tuple(row.features),
            attach_ts=row.attach_ts,
            verified=row.verified,
            from_directory=row.from_directory,
            content_form=row.content_form,
            refused_key=row.refused_key,
            first_seen_ms=row.first_seen_ms,
        )
        for row in connection.execute(select(contacts).order_by(contacts.c.user_id))
    )


def _seen(connection: Connection) -> tuple[records.Seen, ...]:
    columns = tables.seen.c
    rows = connection.execute(select(columns.msg_ref, columns.digest, columns.author, columns.ts))
    authors: dict[str, str] = {}  # one string for all that somebody wrote
    return tuple(
        records.Seen(msg_ref, digest, authors.setdefault(author, author), ts)
        for msg_ref, digest, author, ts in rows
    )


def _outbox(connection: Connection) -> tuple[records.OutboxLine, ...]:
    outbox = tables.outbox
    return tuple(
        records.OutboxLine(
            line_id=row.line_id,
            to=row.recipient,
            text=row.text,
            state=records.LineState(row.state),
            frames=msgspec.msgpack.decode(row.frames, type=tuple[bytes, ...]),
            msg_refs=tuple(row.msg_refs),
            composed_ms=row.composed_ms,
            reason=row.reason,
            late=row.late,
            sealed_to=row.sealed_to,
        )
        for row in connection.execute(select(outbox).order_by(outbox.c.line_id))
    )


def _arrived(connection: Connection) -> tuple[records.Arrived, ...]:
    arrived = tables.arrived
    return tuple(
        records.Arrived(
            number=row.number,
            msg_ref=row.msg_ref,
            author=row.author,
            text=row.text,
            ts=row.ts,
            trust=row.trust,
            public=row.public,
            refused=row.refused,
        )
        for row in connection.execute(select(arrived).order_by(arrived.c.number))
    )


def _channel_keys(connection: Connection) -> tuple[records.ChannelKey, ...]:
    keys = tables.channel_keys
    return tuple(
        records.ChannelKey(
            version=row.version,
            fingerprint=row.fingerprint,
            channel_pub=row.channel_pub,
            private=row.private,
            group_key=row.group_key,
            box=row.box,
            creator_id=row.creator_id,
        )
        for row in connection.execute(select(keys).order_by(keys.c.version, keys.c.fingerprint))
    )
