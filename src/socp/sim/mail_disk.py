"""The tables of `mailbox/1` as a brain's store would hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypedDict, TypeVar, assert_never

from msgspec import structs

from socp.node import queries
from socp.node import records as node
from socp.node.records import MailState
from socp.wire.ids import PUBLIC

MailRecord = (
    node.Mail
    | node.MailSettled
    | node.MailDropped
    | node.MailHanded
    | node.Post
    | node.PostsDropped
    | node.Cursor
)
Key = tuple[str, str, int]
P = TypeVar("P", node.Mail, node.Post)


@dataclass(frozen=True, slots=True)
class Row:
    mail: node.Mail
    state: MailState = MailState.WAITING
    handed: int = 0


class Loaded(TypedDict):
    """The part of Remembered that is here."""

    boxes: tuple[node.BoxRow, ...]
    posts: node.PostsHeld
    cursors: tuple[node.Cursor, ...]
    recent_refs: tuple[tuple[str, str], ...]
    mail_seq: int


class MailDisk:
    """Mail by its key, posts by msg_ref, cursors by owner."""

    def __init__(self) -> None:
        self._mail: dict[Key, Row] = {}
        self._keys: dict[tuple[str, str], dict[Key, None]] = {}  # by user_id and msg_ref
        self._due: dict[str, dict[Key, None]] = {}  # by user_id, what waits
        self._posts: dict[str, node.Post] = {}
        self._cursors: dict[str, int] = {}

    def write(self, record: MailRecord) -> None:
        """One Persist."""
        match record:
            case node.Mail():
                key = record.user_id, record.msg_ref, record.part
                self._put(key, Row(record))
                self._keys.setdefault(key[:2], {})[key] = None
            case node.MailSettled():
                for key, row in self._parts(record.user_id, record.msg_ref):
                    mail = structs.replace(row.mail, payload=b"")
                    self._put(key, Row(mail, record.state, row.handed))
            case node.MailDropped():
                for key, _ in self._parts(record.user_id, record.msg_ref):
                    self._drop(key)
            case node.MailHanded():
                for key in self._due.get(record.user_id, ()):
                    row = self._mail[key]
                    if row.mail.seq <= record.seq:
                        self._mail[key] = replace(row, handed=row.handed + 1)
            case node.Post():
                self._posts[record.msg_ref] = record
            case node.PostsDropped():
                self._posts = {r: p for r, p in self._posts.items() if p.seq > record.seq}
            case node.Cursor():
                self._cursors[record.owner] = record.seq
            case _:
                assert_never(record)

    def holds(self, user_id: str, msg_ref: str) -> bool:
        """Whether this message waits here for this user, or this post for everybody."""
        if user_id == PUBLIC:
            return msg_ref in self._posts
        row = self._mail.get((user_id, msg_ref, 0))
        return row is not None and row.state is MailState.WAITING

    def waiting(self) -> Iterator[tuple[str, str]]:
        """For whom and from whom each piece is that waits, user ids."""
        for row in self._mail.values():
            if row.state is MailState.WAITING:
                yield row.mail.user_id, row.mail.sender

    def ask(self, query: queries.Query) -> queries.Answer:
        """What the store would answer now."""
        match query:
            case queries.LoadMail():
                return queries.MailPage(*_page(self._waiting(query), query))
            case queries.LoadPosts():
                posts = (
                    post
                    for post in self._posts.values()
                    if post.seq > query.after_seq and not (query.own and post.via)
                )
                return queries.PostPage(*_page(posts, query))
            case queries.FindMail():
                return self._find(query)
            case queries.Expire():
                return self._expire(query.before_ms)
            case _:
                assert_never(query)

    def load(self, now_ms: int) -> Loaded:
        """What a start finds."""
        boxes: dict[tuple[str, str], list[node.Mail]] = {}
        for row in self._mail.values():
            if row.state is MailState.WAITING:
                boxes.setdefault((row.mail.user_id, row.mail.sender), []).append(row.mail)
        since = now_ms - node.RECENT_MS
        mail = [row.mail for row in self._mail.values()]
        recent = [(m.user_id, m.msg_ref) for m in mail if m.stored_ms >= since]
        recent += [(PUBLIC, p.msg_ref) for p in self._posts.values() if p.stored_ms >= since]
        seqs = [m.seq for m in mail] + [p.seq for p in self._posts.values()]
        return Loaded(
            boxes=tuple(
                node.BoxRow(
                    user_id, sender, len(held), sum(m.size for m in held), max(m.seq for m in held)
                )
                for (user_id, sender), held in boxes.items()
            ),
            posts=self._held(),
            cursors=tuple(node.Cursor(owner, seq) for owner, seq in self._cursors.items()),
            recent_refs=tuple(recent),
            mail_seq=max(seqs, default=0),
        )

    # --- helpers of the above -------------------------------------------------------------------

    def _parts(self, user_id: str, msg_ref: str) -> list[tuple[Key, Row]]:
        return [(key, self._mail[key]) for key in self._keys.get((user_id, msg_ref), ())]

    def _put(self, key: Key, row: Row) -> None:
        self._mail[key] = row
        if row.state is MailState.WAITING:
            self._due.setdefault(key[0], {})[key] = None
        else:
            self._not_due(key)

    def _not_due(self, key: Key) -> None:
        keys = self._due.get(key[0], {})
        keys.pop(key, None)
        if not keys:
            self._due.pop(key[0], None)

    def _drop(self, key: Key) -> Row:
        keys = self._keys[key[:2]]
        del keys[key]
        if not keys:
            del self._keys[key[:2]]
        self._not_due(key)
        return self._mail.pop(key)

    def _waiting(self, query: queries.LoadMail) -> Iterable[node.Mail]:
        for row in map(self._mail.__getitem__, self._due.get(query.user_id, ())):
            fresh = query.handed_below is None or row.handed < query.handed_below
            if fresh and row.mail.seq > query.after_seq:
                yield row.mail

    def _find(self, query: queries.FindMail) -> queries.MailFound:
        if query.user_id == PUBLIC:
            post = self._posts.get(query.msg_ref)
            if post is None:
                return queries.MailFound(None)
            return queries.MailFound(
                MailState.WAITING, post.author, post.via, post.payload, post.ts
            )
        row = self._mail.get((query.user_id, query.msg_ref, query.part))
        if row is None:
            return queries.MailFound(None)
        mail = row.mail
        return queries.MailFound(row.state, mail.sender, mail.via, mail.payload, mail.ts)

    def _expire(self, before_ms: int) -> queries.Expired:
        gone = [key for key, row in self._mail.items() if row.mail.stored_ms < before_ms]
        boxes: dict[tuple[str, str], list[node.Mail]] = {}
        for key in gone:
            row = self._drop(key)
            if row.state is MailState.WAITING:
                boxes.setdefault((row.mail.user_id, row.mail.sender), []).append(row.mail)
        old = [post for post in self._posts.values() if post.stored_ms < before_ms]
        for post in old:
            del self._posts[post.msg_ref]
        return queries.Expired(
            boxes=tuple(
                queries.ExpiredBox(user_id, sender, len(held), sum(m.size for m in held))
                for (user_id, sender), held in boxes.items()
            ),
            posts_count=len(old),
            posts_size=sum(post.size for post in old),
            posts_first_seq=self._held().first_seq,
        )

    def _held(self) -> node.PostsHeld:
        posts = sorted(self._posts.values(), key=lambda post: post.seq)
        if not posts:
            return node.PostsHeld()
        return node.PostsHeld(
            count=len(posts),
            size=sum(post.size for post in posts),
            first_seq=posts[0].seq,
            last_seq=posts[-1].seq,
            last_own_seq=max((post.seq for post in posts if not post.via), default=0),
            rows=tuple((post.seq, post.size) for post in posts),
        )


def _page(
    found: Iterable[P], query: queries.LoadMail | queries.LoadPosts
) -> tuple[tuple[P, ...], bool]:
    page: list[P] = []
    size = 0
    for one in sorted(found, key=lambda one: one.seq):
        size += len(one.payload)
        if page and (len(page) >= query.count_max or size > query.size_max):
            return tuple(page), True
        page.append(one)
    return tuple(page), False
