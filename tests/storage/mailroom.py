"""Mail, posts and cursors in plain dicts: what the tables must amount to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import structs

from socp.node import queries, records
from socp.node.records import Mail, MailState, Post
from socp.wire.ids import PUBLIC


@dataclass
class Piece:
    mail: Mail
    state: MailState = MailState.WAITING
    handed: int = 0

    @property
    def waits(self) -> bool:
        return self.state is MailState.WAITING


@dataclass
class Mailroom:
    """Takes records and answers questions as `NodeStore` must."""

    pieces: dict[tuple[str, str, int], Piece] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    seq: int = 0

    def take(self, record: records.Record) -> None:
        match record:
            case records.Mail():
                self.pieces[record.user_id, record.msg_ref, record.part] = Piece(record)
                self.seq = max(self.seq, record.seq)
            case records.MailSettled():
                for piece in self.parts(record.user_id, record.msg_ref):
                    piece.state = record.state
                    piece.mail = structs.replace(piece.mail, payload=b"")
            case records.MailDropped():
                for piece in self.parts(record.user_id, record.msg_ref):
                    del self.pieces[record.user_id, record.msg_ref, piece.mail.part]
            case records.MailHanded():
                for piece in self.waiting(record.user_id):
                    piece.handed += piece.mail.seq <= record.seq
            case records.Post():
                self.posts[record.msg_ref] = record
                self.seq = max(self.seq, record.seq)
            case records.PostsDropped():
                self.posts = {ref: p for ref, p in self.posts.items() if p.seq > record.seq}
            case records.Cursor():
                self.cursors[record.owner] = record.seq

    def parts(self, user_id: str, msg_ref: str) -> list[Piece]:
        return [piece for key, piece in self.pieces.items() if key[:2] == (user_id, msg_ref)]

    def waiting(self, user_id: str) -> list[Piece]:
        return [p for p in self.pieces.values() if p.waits and p.mail.user_id == user_id]

    def answer(self, query: queries.Query) -> queries.Answer:
        match query:
            case queries.LoadMail():
                below = query.handed_below
                waiting = [
                    piece.mail
                    for piece in self.waiting(query.user_id)
                    if piece.mail.seq > query.after_seq and (below is None or piece.handed < below)
                ]
                return queries.MailPage(*page(waiting, query))
            case queries.LoadPosts():
                later = [p for p in self.posts.values() if p.seq > query.after_seq]
                return queries.PostPage(
                    *page([p for p in later if not query.own or not p.via], query)
                )
            case queries.FindMail(user_id=user_id) if user_id == PUBLIC:
                post = self.posts.get(query.msg_ref)
                if post is None:
                    return queries.MailFound(None)
                waits = MailState.WAITING
                return queries.MailFound(waits, post.author, post.via, post.payload, post.ts)
            case queries.FindMail():
                piece = self.pieces.get((query.user_id, query.msg_ref, query.part))
                if piece is None:
                    return queries.MailFound(None)
                mail = piece.mail
                return queries.MailFound(piece.state, mail.sender, mail.via, mail.payload, mail.ts)
            case queries.Expire():
                return self.expire(query.before_ms)

    def expire(self, before_ms: int) -> queries.Expired:
        gone = {k: p for k, p in self.pieces.items() if p.mail.stored_ms < before_ms}
        posts = {ref: p for ref, p in self.posts.items() if p.stored_ms < before_ms}
        expired = tuple(
            queries.ExpiredBox(box.user_id, box.sender, box.count, box.size)
            for box in boxes(gone.values())
        )
        self.pieces = {k: p for k, p in self.pieces.items() if k not in gone}
        self.posts = {ref: p for ref, p in self.posts.items() if ref not in posts}
        return queries.Expired(
            expired,
            len(posts),
            sum(post.size for post in posts.values()),
            min((post.seq for post in self.posts.values()), default=0),
        )

    def remembered(self, now_ms: int) -> records.Remembered:
        since = now_ms - records.RECENT_MS
        refs = {key[:2] for key, p in self.pieces.items() if p.mail.stored_ms >= since}
        refs |= {(PUBLIC, ref) for ref, post in self.posts.items() if post.stored_ms >= since}
        seqs = [post.seq for post in self.posts.values()]
        own = [post.seq for post in self.posts.values() if not post.via]
        return records.Remembered(
            boxes=boxes(self.pieces.values()),
            posts=records.PostsHeld(
                len(seqs),
                sum(post.size for post in self.posts.values()),
                min(seqs, default=0),
                max(seqs, default=0),
                max(own, default=0),
                tuple(sorted((post.seq, post.size) for post in self.posts.values())),
            ),
            cursors=tuple(records.Cursor(o, seq) for o, seq in sorted(self.cursors.items())),
            recent_refs=tuple(sorted(refs)),
            mail_seq=self.seq,
        )


def page(found: list, query: queries.LoadMail | queries.LoadPosts) -> tuple[tuple, bool]:
    """As many as fit, by seq, and whether there are more."""
    kept: list = []
    found = sorted(found, key=lambda piece: piece.seq)
    for piece in found:
        size = sum(one.size for one in kept) + piece.size
        if kept and (len(kept) >= query.count_max or size > query.size_max):
            break
        kept.append(piece)
    return tuple(kept), len(kept) < len(found)


def boxes(pieces: Iterable[Piece]) -> tuple[records.BoxRow, ...]:
    by_box: dict[tuple[str, str], list[Mail]] = {}
    for piece in pieces:
        if piece.waits:
            by_box.setdefault((piece.mail.user_id, piece.mail.sender), []).append(piece.mail)
    return tuple(
        records.BoxRow(
            user_id,
            sender,
            len(mail),
            sum(one.size for one in mail),
            max(one.seq for one in mail),
        )
        for (user_id, sender), mail in sorted(by_box.items())
    )
