"""What the brain asks of mail and posts, answered from their tables."""

from __future__ import annotations

from typing import assert_never

from sqlalchemy import Connection, Select, delete, func, select

from socp.node import queries, records
from socp.node.records import MAIL_OVERHEAD_BYTES, MailState
from socp.storage import node_schema as tables
from socp.wire.ids import PUBLIC

mail, posts = tables.mail.c, tables.posts.c
MAIL_COLUMNS = (
    mail.seq,
    mail.user_id,
    mail.msg_ref,
    mail.part,
    mail.sender,
    mail.kind,
    mail.ts,
    mail.payload,
    mail.via,
    mail.attach_ts,
    mail.stored_ms,
)
POST_COLUMNS = (
    posts.seq,
    posts.msg_ref,
    posts.author,
    posts.ts,
    posts.payload,
    posts.via,
    posts.stored_ms,
)
MAIL_SIZE = func.length(mail.payload) + MAIL_OVERHEAD_BYTES
POST_SIZE = func.length(posts.payload) + MAIL_OVERHEAD_BYTES
WAITING_BOXES = (
    select(
        mail.user_id,
        mail.sender,
        func.count().label("pieces"),
        func.sum(MAIL_SIZE).label("size"),
        func.max(mail.seq).label("last_seq"),
    )
    .where(tables.WAITING)
    .group_by(mail.user_id, mail.sender)
    .order_by(mail.user_id, mail.sender)
)


def answer(connection: Connection, query: queries.Query) -> queries.Answer:
    match query:
        case queries.LoadMail():
            return _mail(connection, query)
        case queries.LoadPosts():
            return _posts(connection, query)
        case queries.FindMail():
            find = _find_post if query.user_id == PUBLIC else _find_mail
            return find(connection, query)
        case queries.Expire():
            return _expire(connection, query)
        case _:
            assert_never(query)


def _mail(connection: Connection, query: queries.LoadMail) -> queries.MailPage:
    found = (
        select(mail.seq, MAIL_SIZE)
        .where(mail.user_id == query.user_id, tables.WAITING, mail.seq > query.after_seq)
        .order_by(mail.seq)
    )
    if query.handed_below is not None:
        found = found.where(mail.handed < query.handed_below)
    end, more = _end(connection, found, query.count_max, query.size_max)
    if end is None:
        return queries.MailPage((), more=False)
    page = (
        select(*MAIL_COLUMNS)
        .where(
            mail.user_id == query.user_id,
            tables.WAITING,
            mail.seq > query.after_seq,
            mail.seq <= end,
        )
        .order_by(mail.seq)
    )
    if query.handed_below is not None:
        page = page.where(mail.handed < query.handed_below)
    pieces = tuple(records.Mail(*row) for row in connection.execute(page))
    return queries.MailPage(pieces, more)


def _posts(connection: Connection, query: queries.LoadPosts) -> queries.PostPage:
    found = select(posts.seq, POST_SIZE).where(posts.seq > query.after_seq).order_by(posts.seq)
    page = select(*POST_COLUMNS).where(posts.seq > query.after_seq).order_by(posts.seq)
    if query.own:
        found, page = found.where(posts.via == ""), page.where(posts.via == "")
    end, more = _end(connection, found, query.count_max, query.size_max)
    if end is None:
        return queries.PostPage((), more=False)
    kept = connection.execute(page.where(posts.seq <= end))
    return queries.PostPage(tuple(records.Post(*row) for row in kept), more)


def _end(
    connection: Connection, found: Select[int, int], count_max: int, size_max: int
) -> tuple[int | None, bool]:
    """The last `seq` of a page, None where it is empty, and whether there is more behind it.

    Sizes come first and alone: a page of large payloads is not read to be thrown away.
    """
    rows = connection.execute(found.limit(max(count_max, 1) + 1)).all()
    end, total = None, 0
    for number, (seq, size) in enumerate(rows):
        total += size
        if end is not None and (number >= count_max or total > size_max):
            return end, True
        end = seq
    return end, False


def _find_mail(connection: Connection, query: queries.FindMail) -> queries.MailFound:
    row = connection.execute(
        select(mail.state, mail.sender, mail.via, mail.payload, mail.ts).where(
            mail.user_id == query.user_id,
            mail.msg_ref == query.msg_ref,
            mail.part == query.part,
        )
    ).one_or_none()
    if row is None:
        return queries.MailFound(None)
    return queries.MailFound(MailState(row.state), row.sender, row.via, row.payload, row.ts)


def _find_post(connection: Connection, query: queries.FindMail) -> queries.MailFound:
    row = connection.execute(
        select(posts.author, posts.via, posts.payload, posts.ts).where(
            posts.msg_ref == query.msg_ref
        )
    ).one_or_none()
    if row is None:
        return queries.MailFound(None)
    return queries.MailFound(MailState.WAITING, row.author, row.via, row.payload, row.ts)


def _expire(connection: Connection, query: queries.Expire) -> queries.Expired:
    old_mail, old_posts = mail.stored_ms < query.before_ms, posts.stored_ms < query.before_ms
    boxes = tuple(
        queries.ExpiredBox(row.user_id, row.sender, row.pieces, int(row.size))
        for row in connection.execute(WAITING_BOXES.where(old_mail))
    )
    gone = connection.execute(
        select(func.count(posts.seq), func.coalesce(func.sum(POST_SIZE), 0)).where(old_posts)
    ).one()
    connection.execute(delete(tables.mail).where(old_mail))
    connection.execute(delete(tables.posts).where(old_posts))
    first_seq = connection.execute(select(func.min(posts.seq))).scalar_one()
    return queries.Expired(boxes, gone[0], int(gone[1]), first_seq or 0)


def boxes(connection: Connection) -> tuple[records.BoxRow, ...]:
    """The WAITING mail of every mailbox, counted."""
    return tuple(
        records.BoxRow(row.user_id, row.sender, row.pieces, int(row.size), row.last_seq)
        for row in connection.execute(WAITING_BOXES)
    )


def posts_held(connection: Connection) -> records.PostsHeld:
    """The kept posts, counted."""
    found = select(posts.seq, POST_SIZE).order_by(posts.seq)
    rows = tuple((seq, int(size)) for seq, size in connection.execute(found))
    if not rows:
        return records.PostsHeld()
    own = connection.execute(select(func.max(posts.seq)).where(posts.via == "")).scalar_one()
    size = sum(size for _, size in rows)
    return records.PostsHeld(len(rows), size, rows[0][0], rows[-1][0], own or 0, rows)


def cursors(connection: Connection) -> tuple[records.Cursor, ...]:
    rows = connection.execute(select(tables.cursors).order_by(tables.cursors.c.owner))
    return tuple(records.Cursor(row.owner, row.seq) for row in rows)


def recent_refs(connection: Connection, since_ms: int) -> tuple[tuple[str, str], ...]:
    """(user_id or "public", msg_ref) of what was stored since then, in the order of these."""
    of_mail = select(mail.user_id, mail.msg_ref).where(mail.stored_ms >= since_ms).distinct()
    of_posts = select(posts.msg_ref).where(posts.stored_ms >= since_ms)
    found = [(row.user_id, row.msg_ref) for row in connection.execute(of_mail)]
    found += [(PUBLIC, msg_ref) for msg_ref in connection.execute(of_posts).scalars()]
    return tuple(sorted(found))


def last_seq(connection: Connection) -> int:
    """The highest `seq` ever used."""
    return connection.execute(select(tables.mail_counter.c.seq)).scalar_one_or_none() or 0
