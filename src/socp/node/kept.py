"""All that `mailbox/1` keeps, as the rest of the brain sees it: links come and go, the store
answers, the disk fails (section 11; threat S8)."""

from __future__ import annotations

from collections import deque

from socp.node.dedup import SeenIds, mail_key
from socp.node.effects import Ask
from socp.node.emitter import Emitter
from socp.node.events import Answered, CommitFailed, LinkId, Now
from socp.node.file_mail import FileMail
from socp.node.links import Link, Stage
from socp.node.mailbox import DELIVERED, FOR_GOOD, Mailbox
from socp.node.notices import Notices
from socp.node.post_log import PostLog
from socp.node.queries import Expire, Expired, LoadMail, LoadPosts, MailPage, PostPage
from socp.node.recall import Recall
from socp.node.records import Mail, Post
from socp.node.trouble import kind_of
from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC
from socp.wire.payloads import Ack, Error, MsgDirect

DAY_MS = 24 * 3_600_000
SWEEP_MS = 3_600_000
FIRST_SWEEP_MS = 60_000


class Kept:
    """Mailboxes, the post log, files on their way into mailboxes, and what is being looked up."""

    def __init__(
        self,
        emitter: Emitter,
        mailbox: Mailbox,
        posts: PostLog,
        file_mail: FileMail,
        recall: Recall,
        notices: Notices,
        seen: SeenIds,
        *,
        days: int,
    ) -> None:
        self._emit = emitter
        self._mailbox = mailbox
        self._posts = posts
        self._file_mail = file_mail
        self.recall = recall
        self._notices = notices
        self._seen = seen
        self._days_ms = days * DAY_MS
        self._sweep_ms: int | None = None
        # Of the clock, from the monotonic one, at each look in as long as mail is kept.
        self._offsets_ms: deque[int] = deque(maxlen=self._days_ms // SWEEP_MS)

    # --- links ----------------------------------------------------------------------------------

    def member_came(self, link: Link, since_wall_ms: int, now: Now) -> None:
        """`since_wall_ms`: when they were last attached, 0 for somebody new."""
        self._mailbox.moved(link.peer, now)
        self._posts.member_came(link, since_wall_ms, now)

    def server_came(self, link: Link, now: Now) -> None:
        self._mailbox.server_linked(link, now)
        self._posts.server_came(link, now)

    def link_lost(self, link: Link) -> None:
        """A user's or a server's link is gone, or no longer the live one."""
        self._file_mail.link_lost(link)
        self._mailbox.link_lost(link)
        self._posts.link_lost(link)

    def forget(self, user_id: str) -> None:
        """There is no such user any more."""
        self._posts.forget(user_id)

    def moved(self, user_id: str, now: Now) -> None:
        """A server said where a user is."""
        self._mailbox.moved(user_id, now)

    # --- words about it -------------------------------------------------------------------------

    def acked(self, link: Link, ack: Ack, now: Now) -> None:
        if self._mailbox.acked(link, ack, now) or self._posts.acked(link, ack, now):
            return
        if link.stage is Stage.SERVER and ack.status == DELIVERED:
            self._notices.heard(link, ack, now)

    def server_refused(self, link: Link, error: Error, ts: int, now: Now) -> bool:
        """ERROR of a server, at `ts` by its clock, about mail that it was given. False: it is not
        about mail."""
        final = error.code in FOR_GOOD
        if error.code == Code.BAD_FRAME and abs(ts - now.wall) > limits.TS_WINDOW_MS:
            final = False  # one of our clocks is wrong, and may be set right
        for part in (self._mailbox, self._posts):
            if part.server_refused(link, error, now, final=final):
                return True
        return self._notices.refused(link, error, now)

    # --- the store ------------------------------------------------------------------------------

    def answered(self, event: Answered, now: Now) -> None:
        """A page or a sweep; what was asked by `recall` goes another way."""
        query, answer = event.query, event.answer
        match query:
            case LoadMail():
                page = answer if isinstance(answer, MailPage) else None
                self._mailbox.loaded(query, page, now)
            case LoadPosts():
                posts = answer if isinstance(answer, PostPage) else None
                self._posts.loaded(query, posts, now)
            case Expire() if isinstance(answer, Expired):
                self._mailbox.boxes.expired(answer.boxes)
                self._posts.expired(answer)

    def page_done(self, link: LinkId, page: int, now: Now) -> None:
        if page < 0:
            self._posts.page_done(link, page)
        else:
            self._mailbox.page_done(link, page, now)

    def not_stored(self, event: CommitFailed, now: Now) -> None:
        """What the disk did not take was promised to nobody: whoever brought it is told."""
        for record in event.records:
            if isinstance(record, Mail):
                self._mail_not_stored(record, event.reason, now)
            elif isinstance(record, Post):
                self._posts.not_stored(record)
                self._seen.forget(mail_key(PUBLIC, record.msg_ref))
                self._tell(record.author, record.via, record.msg_ref, event.reason, now)

    def _mail_not_stored(self, mail: Mail, reason: str, now: Now) -> None:
        if mail.kind == MsgDirect.TYPE:
            self._mailbox.not_stored(mail)
            self._seen.forget(mail_key(mail.user_id, mail.msg_ref))
        else:
            self._file_mail.not_stored(mail)
        self._tell(mail.sender, mail.via, mail.msg_ref, reason, now)

    def _tell(self, sender: str, via: str, ref: str, reason: str, now: Now) -> None:
        fault = cannot_store(ref, reason)
        said = Error(code=fault.code, detail=fault.detail, msg_ref=ref)
        self._notices.tell(sender, via, said, now)

    # --- time -----------------------------------------------------------------------------------

    def due(self, now: Now) -> None:
        self._mailbox.due(now)
        self._posts.due(now)
        self._file_mail.due(now)
        if self._sweep_ms is None:
            self._sweep_ms = now.mono + FIRST_SWEEP_MS
            self._offsets_ms.append(now.wall - now.mono)
        if now.mono >= self._sweep_ms:
            self._sweep_ms = now.mono + SWEEP_MS
            self._sweep(now)

    def _sweep(self, now: Now) -> None:
        """What is too old goes, by the clock that was furthest behind while it may have come: one
        that was set, or stood still while the machine slept, makes no mail old (S7)."""
        self._offsets_ms.append(now.wall - now.mono)
        wall = now.mono + min(self._offsets_ms)
        self._emit.add(Ask(Expire(wall - self._days_ms)))

    def stopping(self) -> None:
        """The last word to the store."""
        self._posts.flush()


def cannot_store(ref: str, reason: str) -> PeerFault:
    """The disk does not take it."""
    return PeerFault(
        Code.TIMEOUT,
        "this server cannot store messages just now"
        f" ({kind_of(reason)}); keep it and send it again later",
        msg_ref=ref,
    )


def unreadable(ref: str) -> PeerFault:
    """The store cannot say whether this came before."""
    return PeerFault(
        Code.TIMEOUT,
        "this server cannot read what it stored just now; keep it and send it again later",
        msg_ref=ref,
    )
