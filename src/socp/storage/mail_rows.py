"""Mail, posts and cursors on their way into one transaction (sections 7, 11, `mailbox/1`)."""

from __future__ import annotations

from typing import Any, Final, assert_never

from sqlalchemy import Connection, bindparam, delete, update

from socp.node import records
from socp.node.records import MailState
from socp.storage import node_schema as tables
from socp.storage.dialect import upsert
from socp.storage.rows import Rows

WAITING: Final = MailState.WAITING.value

mail = tables.mail.c
PUT_MAIL = upsert(tables.mail)
PUT_POST = upsert(tables.posts)
PUT_CURSOR = upsert(tables.cursors)
PUT_COUNTER = upsert(
    tables.mail_counter, where=lambda new: new.excluded.seq > tables.mail_counter.c.seq
)
_OF_MAIL = (mail.user_id == bindparam("of_user")) & (mail.msg_ref == bindparam("of_ref"))
DROP_MAIL = delete(tables.mail).where(_OF_MAIL)
SETTLE_MAIL = update(tables.mail).where(_OF_MAIL).values(state=bindparam("new_state"), payload=b"")
HAND_MAIL = (
    update(tables.mail)
    .where(
        mail.user_id == bindparam("of_user"),
        mail.seq <= bindparam("up_to"),
        tables.WAITING,
    )
    .values(handed=mail.handed + 1)
)
DROP_CURSOR = delete(tables.cursors).where(tables.cursors.c.owner == bindparam("gone"))
DROP_POSTS = delete(tables.posts).where(tables.posts.c.seq <= bindparam("up_to"))

# Columns of a row of mail that change after it came.
_PARTS = tables.mail.columns.keys()
SEQ, STATE, HANDED, PAYLOAD = map(_PARTS.index, ("seq", "state", "handed", "payload"))
MailRecord = (
    records.Mail
    | records.MailSettled
    | records.MailDropped
    | records.MailHanded
    | records.Post
    | records.PostsDropped
    | records.Cursor
    | records.AccountGone
)
Ref = tuple[str, str]  # user_id, msg_ref
MailRow = tuple[Any, ...]  # values in the order of the table's columns


class MailBatch:
    """Records of mail, with their order kept where they touch the same piece.

    What came in this batch is changed here. What was there before is deleted, settled and handed
    first, and the new rows go in last: so each kind costs one statement, however they alternate.
    """

    def __init__(self) -> None:
        self._mail: dict[str, dict[str, dict[int, MailRow]]] = {}  # by user_id, msg_ref, part
        self._dropped: set[Ref] = set()
        self._settled: dict[Ref, MailState] = {}
        self._handed: list[records.MailHanded] = []
        self._posts = Rows(PUT_POST)
        self._posts_dropped = 0
        self._cursors = Rows(PUT_CURSOR)
        self._owners_gone: list[dict[str, str]] = []
        self._seq = 0

    def take(self, record: MailRecord) -> None:
        match record:
            case records.Mail():
                self._come(record)
            case records.MailSettled():
                self._settle(record)
            case records.MailDropped():
                self._drop(record)
            case records.MailHanded():
                self._hand(record)
            case records.Post():
                self._post(record)
            case records.PostsDropped():
                self._drop_posts(record)
            case records.Cursor():
                self._cursors.set(record.owner, {"owner": record.owner, "seq": record.seq})
            case records.AccountGone():
                self._cursors.drop(record.user_id)
                self._owners_gone.append({"gone": record.user_id})
            case _:
                assert_never(record)

    def _come(self, piece: records.Mail) -> None:
        self._seq = max(self._seq, piece.seq)
        box = self._mail.setdefault(piece.user_id, {})
        box.setdefault(piece.msg_ref, {})[piece.part] = (
            piece.user_id,
            piece.msg_ref,
            piece.part,
            piece.seq,
            WAITING,
            0,
            piece.sender,
            piece.kind,
            piece.ts,
            piece.payload,
            piece.via,
            piece.attach_ts,
            piece.stored_ms,
        )

    def _settle(self, settled: records.MailSettled) -> None:
        ref = (settled.user_id, settled.msg_ref)
        parts = self._mail.get(settled.user_id, {}).get(settled.msg_ref, {})
        for part, row in parts.items():
            parts[part] = _changed(row, {STATE: settled.state.value, PAYLOAD: b""})
        if ref not in self._dropped:
            self._settled[ref] = settled.state

    def _drop(self, dropped: records.MailDropped) -> None:
        ref = (dropped.user_id, dropped.msg_ref)
        self._mail.get(dropped.user_id, {}).pop(dropped.msg_ref, None)
        self._settled.pop(ref, None)
        self._dropped.add(ref)

    def _hand(self, handed: records.MailHanded) -> None:
        for parts in self._mail.get(handed.user_id, {}).values():
            for part, row in parts.items():
                if row[STATE] == WAITING and row[SEQ] <= handed.seq:
                    parts[part] = _changed(row, {HANDED: row[HANDED] + 1})
        self._handed.append(handed)

    def _post(self, post: records.Post) -> None:
        self._seq = max(self._seq, post.seq)
        self._posts.set(
            post.msg_ref,
            {
                "msg_ref": post.msg_ref,
                "seq": post.seq,
                "author": post.author,
                "ts": post.ts,
                "payload": post.payload,
                "via": post.via,
                "stored_ms": post.stored_ms,
            },
        )

    def _drop_posts(self, dropped: records.PostsDropped) -> None:
        self._posts.drop_where(lambda row: row["seq"] <= dropped.seq)
        self._posts_dropped = max(self._posts_dropped, dropped.seq)

    def flush(self, connection: Connection) -> None:
        if self._dropped:
            connection.execute(DROP_MAIL, [_of(ref) for ref in self._dropped])
        if self._settled:
            settled = [{**_of(ref), "new_state": s.value} for ref, s in self._settled.items()]
            connection.execute(SETTLE_MAIL, settled)
        if self._handed:
            handed = [{"of_user": one.user_id, "up_to": one.seq} for one in self._handed]
            connection.execute(HAND_MAIL, handed)
        if self._posts_dropped:
            connection.execute(DROP_POSTS, {"up_to": self._posts_dropped})
        rows = [
            row for box in self._mail.values() for parts in box.values() for row in parts.values()
        ]
        if rows:
            PUT_MAIL.run_values(connection, rows)
        self._posts.flush(connection)
        if self._owners_gone:
            connection.execute(DROP_CURSOR, self._owners_gone)
        self._cursors.flush(connection)
        if self._seq:
            PUT_COUNTER.run(connection, [{"one": 1, "seq": self._seq}])


def _changed(row: MailRow, values: dict[int, Any]) -> MailRow:
    return tuple(values.get(column, value) for column, value in enumerate(row))


def _of(ref: Ref) -> dict[str, str]:
    return {"of_user": ref[0], "of_ref": ref[1]}
