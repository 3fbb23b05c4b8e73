"""The posts that are kept, once for all, and how far each member and each linked server has them
(section 11, `mailbox/1`)."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from msgspec import structs

from socp.node.budget import PAGE_BYTES
from socp.node.drains import Phase
from socp.node.effects import Ask, Outgoing, Snapshot
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.hops import released_post
from socp.node.links import Link, Links
from socp.node.mailbox import UNACKED_MS
from socp.node.owed import Owed
from socp.node.queries import Expired, LoadPosts, PostPage
from socp.node.records import Cursor, Post, PostsDropped, PostsHeld
from socp.wire import limits
from socp.wire.ids import PUBLIC
from socp.wire.payloads import Ack, Error, MsgPublicChannel

PAGE_POSTS = 64
FLUSH_MS = 1_000
RETRY_MS = 5_000
OWED_MAX = 1_000_000  # posts that members did not acknowledge, each counted for each
SIGNED_MAX = 256  # posts whose frame is kept, so that many who come back share one signature
SIGNED_BYTES_MAX = 8 * limits.MIB


@dataclass(slots=True)
class Reader:
    """One link that takes posts. Times are Unix ms where they say so."""

    owner: str  # user_id or server_id
    link: Link
    acks: bool
    server: bool
    cursor: int  # seq: handed out so far
    since_wall_ms: int = 0  # older posts are not for them
    phase: Phase = Phase.LEVEL
    upto: int = 0
    page: int = 0
    retry_ms: int = 0  # monotonic: when to try again, 0 for nothing to try
    due_ms: int = 0  # monotonic: when one is due whose author's clock was ahead, 0 for none
    since_ms: int = 0  # monotonic, of the last word or frame
    out: dict[str, int] = field(default_factory=dict)  # msg_ref -> seq, not acknowledged yet
    live: dict[str, None] = field(default_factory=dict)  # those of them that went at once
    is_plain: bool = field(init=False)  # a member who has what was handed out, without a word

    def __post_init__(self) -> None:
        self.is_plain = not (self.acks or self.server)

    @property
    def has(self) -> int:
        """seq: all up to here is in their hands."""
        return next(iter(self.out.values())) - 1 if self.out else self.cursor


class PostLog:
    """Bounded: the oldest posts make room."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        held: PostsHeld,
        cursors: tuple[Cursor, ...],
        *,
        owed_max: int = OWED_MAX,
        count_max: int = limits.POSTS,
        size_max: int = limits.POSTS_BYTES,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._max = (count_max, size_max)
        self._owed = Owed(emitter, links, owed_max)
        self._rows: deque[tuple[int, int]] = deque(held.rows)  # seq, size
        self._size = held.size
        self._last, self._last_own = held.last_seq, held.last_own_seq
        self._cursors = {cursor.owner: cursor.seq for cursor in cursors}
        self._changed: dict[str, int] = {}
        self._flush_ms = 0
        self._went_out = False  # something, since they were written
        self._readers: dict[LinkId, Reader] = {}
        self._pages: dict[int, LinkId] = {}
        self._last_page = 0
        self._frames: OrderedDict[int, Outgoing] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    # --- in -------------------------------------------------------------------------------------

    def keep(self, post: Post) -> None:
        """One more post."""
        self._emit.persist(post)
        self._rows.append((post.seq, post.size))
        self._size += post.size
        self._last = max(self._last, post.seq)
        if not post.via:
            self._last_own = max(self._last_own, post.seq)
        self._trim()

    def _trim(self) -> None:
        dropped = 0
        while len(self._rows) > self._max[0] or self._size > self._max[1]:
            dropped, size = self._rows.popleft()
            self._size -= size
        if dropped:
            self._emit.persist(PostsDropped(dropped))

    def not_stored(self, post: Post) -> None:
        """The disk did not take it after all, and nothing of it was sent."""
        row = (post.seq, post.size)
        if row in self._rows:
            self._rows.remove(row)
            self._size -= post.size
        for reader in self._readers.values():
            reader.out.pop(post.msg_ref, None)
            reader.live.pop(post.msg_ref, None)

    def expired(self, expired: Expired) -> None:
        first = expired.posts_first_seq
        while self._rows and (not first or self._rows[0][0] < first):
            _, size = self._rows.popleft()
            self._size -= size

    # --- out, at once ---------------------------------------------------------------------------

    def live(self, post: Post, now: Now, *, forward: bool) -> list[Link]:
        """The links that get a new post at once: members and servers who have all before it.

        `forward`: to servers too, whoever its author is.
        """
        found, seq, author = [], post.seq, post.author
        for reader in self._readers.values():
            if reader.is_plain and reader.phase is Phase.LEVEL and reader.owner != author:
                reader.cursor = seq  # in a crowd of them a post's cost is this: noted by `flush`
                found.append(reader.link)
            elif self._gets(reader, post, now, forward=forward):
                found.append(reader.link)
        self._went_out = True
        return found

    def _gets(self, reader: Reader, post: Post, now: Now, *, forward: bool) -> bool:
        """Whether it goes to this one at once."""
        if reader.server and (reader.owner == post.via or (post.via and not forward)):
            return False
        if reader.phase is not Phase.LEVEL:
            return reader.server and bool(post.via)  # not one of those that we owe it
        if not reader.server or not post.via:
            reader.cursor = post.seq
        if reader.owner == post.author:
            self._moved(reader)
            return False
        if reader.acks and not (reader.server and post.via):
            if not reader.out:
                reader.since_ms = now.mono
            reader.out[post.msg_ref] = post.seq
            reader.live[post.msg_ref] = None
        else:
            self._moved(reader)
        return True

    # --- who reads ------------------------------------------------------------------------------

    def member_came(self, link: Link, since_wall_ms: int, now: Now) -> None:
        """`since_wall_ms`: when they were last attached, 0 for somebody new."""
        reader = Reader(link.peer, link, link.acks, server=False, cursor=self._last)
        known = self._cursors.get(link.peer)
        if known is not None:
            reader.cursor = known
        elif since_wall_ms:
            reader.cursor, reader.since_wall_ms = 0, since_wall_ms - limits.TS_WINDOW_MS
        else:
            # At once: after a crash they would be somebody new again.
            self._cursors[link.peer] = reader.cursor
            self._emit.persist(Cursor(link.peer, reader.cursor))
        self._join(reader, now)

    def forget(self, user_id: str) -> None:
        """There is no such member any more; what is on disk of them goes with their account."""
        self._cursors.pop(user_id, None)

    def server_came(self, link: Link, now: Now) -> None:
        """A linked server gets the posts of our users that it missed."""
        reader = Reader(link.peer, link, link.acks, server=True, cursor=self._last_own)
        known = self._cursors.get(link.peer)
        if link.acks and known is not None:
            reader.cursor = known
        elif link.acks:
            self._note(link.peer, reader.cursor)
        self._join(reader, now)

    def _join(self, reader: Reader, now: Now) -> None:
        self._readers[reader.link.id] = reader
        if self._newest_for(reader) > reader.cursor:
            self._load(reader)

    def link_lost(self, link: Link) -> None:
        reader = self._readers.pop(link.id, None)
        if reader is not None:
            self._pages.pop(reader.page, None)
            self._moved(reader)

    def _newest_for(self, reader: Reader) -> int:
        return self._last_own if reader.server else self._last

    # --- pages ----------------------------------------------------------------------------------

    def _load(self, reader: Reader) -> None:
        reader.phase, reader.upto = Phase.LOADING, self._newest_for(reader)
        query = LoadPosts(reader.owner, reader.cursor, PAGE_POSTS, PAGE_BYTES, reader.server)
        self._emit.add(Ask(query))

    def loaded(self, query: LoadPosts, page: PostPage | None, now: Now) -> None:
        """A page of posts, or None where the store could not be read."""
        reader = self._reader_of(query)
        if reader is None:
            return None
        if page is None:
            reader.phase, reader.retry_ms = Phase.PACING, now.mono + RETRY_MS
            return None
        posts = [post for post in page.posts if self._is_for(reader, post)]
        frames = [self._frame(reader, p) for p in posts if not self._is_early(reader, p, now)]
        if not page.more:
            reader.cursor = max(reader.cursor, reader.upto)
        if not frames:
            return self._went(reader)
        self._last_page += 1
        reader.phase, reader.page = Phase.PACING, self._last_page
        reader.since_ms = now.mono  # from here on it has a minute to say something
        self._pages[reader.page] = reader.link.id
        # Numbered below zero: mail has the numbers above.
        self._emit.add(Snapshot(reader.link.id, tuple(frames), page=-reader.page))

    def _reader_of(self, query: LoadPosts) -> Reader | None:
        table = self._links.servers if query.own else self._links.users
        link = table.get(query.owner)
        reader = None if link is None else self._readers.get(link.id)
        if reader is None or reader.phase is not Phase.LOADING:
            return None
        return reader if reader.cursor == query.after_seq else None

    def _is_for(self, reader: Reader, post: Post) -> bool:
        reader.cursor = max(reader.cursor, post.seq)
        if post.author == reader.owner or post.stored_ms < reader.since_wall_ms:
            return False
        if reader.acks:
            reader.out[post.msg_ref] = post.seq
        return True

    @staticmethod
    def _is_early(reader: Reader, post: Post, now: Now) -> bool:
        """Another server would refuse it: its author's clock was ahead. It is owed until then."""
        wait_ms = post.ts - now.wall
        if not reader.server or wait_ms <= 0:
            return False
        due_ms = now.mono + wait_ms
        reader.due_ms = min(reader.due_ms or due_ms, due_ms)
        return True

    def _frame(self, reader: Reader, post: Post) -> Outgoing:
        link = reader.link
        if reader.server:
            return released_post(link, post.payload, post.author, post.ts, PUBLIC)
        frame = self._frames.get(post.seq)
        if frame is None:
            frame = Outgoing(
                MsgPublicChannel.TYPE, post.author, PUBLIC, post.ts, post.payload, verbatim=True
            )
            self._frames[post.seq] = frame
            while len(self._frames) > SIGNED_MAX or self._frames_size() > SIGNED_BYTES_MAX:
                self._frames.popitem(last=False)
        return frame if link.fast is None else structs.replace(frame, fast=link.fast)

    def _frames_size(self) -> int:
        return sum(len(frame.payload) for frame in self._frames.values())

    def page_done(self, link: LinkId, page: int) -> None:
        """The socket took a page."""
        reader = self._readers.get(self._pages.pop(-page, 0))
        if reader is not None and reader.link.id == link and reader.page == -page:
            self._went(reader)

    def _went(self, reader: Reader) -> None:
        self._moved(reader)
        if self._newest_for(reader) > reader.cursor:
            return self._load(reader)
        reader.phase = Phase.LEVEL

    # --- what they have -------------------------------------------------------------------------

    def acked(self, link: Link, ack: Ack, now: Now) -> bool:
        """ACK of a member's client or of a server. False: it is not about a post it was given."""
        reader = self._readers.get(link.id)
        if reader is None or not reader.acks or reader.out.pop(ack.msg_ref, None) is None:
            return False
        reader.live.pop(ack.msg_ref, None)
        reader.since_ms = now.mono
        self._moved(reader)
        return True

    def server_refused(self, link: Link, error: Error, now: Now, *, final: bool) -> bool:
        """ERROR of a server about a post it was given; `final`: it will never take it. False: it
        is not about one."""
        reader = self._readers.get(link.id)
        if reader is None or error.msg_ref not in reader.out:
            return False
        if final and error.msg_ref not in reader.live:  # else it may be in time as a release
            del reader.out[error.msg_ref]
            self._moved(reader)
        else:
            self._rewind(reader, now)
        return True

    def _rewind(self, reader: Reader, now: Now) -> None:
        """What they do not have goes again, later."""
        reader.cursor = reader.has
        reader.out.clear()
        reader.live.clear()
        self._pages.pop(reader.page, None)
        reader.phase, reader.page = Phase.PACING, 0
        reader.retry_ms = now.mono + RETRY_MS

    def _moved(self, reader: Reader) -> None:
        if reader.server and not reader.acks:
            return
        self._note(reader.owner, reader.has)

    def _note(self, owner: str, seq: int) -> None:
        if self._cursors.get(owner) != seq:
            self._cursors[owner] = seq
            self._changed[owner] = seq

    def due(self, now: Now) -> None:
        """Cursors are written once a second: after a crash somebody gets a post again."""
        if now.mono < self._flush_ms:
            return
        self._flush_ms = now.mono + FLUSH_MS
        self.flush()
        readers = self._readers.values()  # hardly one of them waits for anything
        waiting = [r for r in readers if r.out or r.retry_ms or r.due_ms]
        self._owed.bound({r.link.id: len(r.out) for r in waiting if r.out and not r.server})
        for reader in waiting:
            if reader.retry_ms and reader.retry_ms <= now.mono:
                reader.retry_ms = 0
                self._load(reader)
            elif 0 < reader.due_ms <= now.mono or self._is_silent(reader, now):
                reader.due_ms = 0
                self._rewind(reader, now)

    @staticmethod
    def _is_silent(reader: Reader, now: Now) -> bool:
        return reader.server and bool(reader.out) and now.mono - reader.since_ms > UNACKED_MS

    def flush(self) -> None:
        if self._went_out:
            self._went_out = False
            for reader in self._readers.values():
                if reader.is_plain:
                    self._moved(reader)
        for owner, seq in self._changed.items():
            self._emit.persist(Cursor(owner, seq))
        self._changed.clear()
