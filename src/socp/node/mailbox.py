"""`mailbox/1`: what is said to somebody who is away is kept, and handed out until it is
acknowledged (sections 9, 11 and 12; threats I11, M14, S5).

One mailbox a reader, on the reader's home and, until the home has it, on the sender's server. The
bodies are in the store; here is what goes where, and when it may be deleted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from socp.node.boxes import Boxes
from socp.node.budget import PAGE_BYTES
from socp.node.drains import Drain, Handed, Phase
from socp.node.effects import Ask, Outgoing, Snapshot
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.hops import to_server, to_user
from socp.node.keepers import Keepers
from socp.node.links import Link, Links, Stage
from socp.node.notices import Notices
from socp.node.owed import LOOK_MS, Owed, owed
from socp.node.queries import LoadMail, MailFound, MailPage
from socp.node.records import (
    Mail,
    MailDropped,
    MailHanded,
    MailSettled,
    MailState,
)
from socp.node.waits import Pauses, Turns
from socp.wire import limits
from socp.wire.errors import Code
from socp.wire.payloads import Ack, Error, FileEnd

MAIL = "server.mail"
PAGE_PIECES = 64
UNACKED_MS = 60_000  # a server that says nothing so long is handed it again
FRESH_MS = limits.TS_WINDOW_MS // 2  # after that a frame says that it is late
DELIVERED, QUEUED, REFUSED = "delivered", "queued", "refused"
FOR_GOOD = frozenset(
    {Code.BAD_KEY, Code.INVALID_SIG, Code.BAD_FRAME, Code.NOT_ALLOWED, Code.TOO_LARGE}
)


class Mailbox:
    """Every reader's mail, and the drains by which it leaves."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        keepers: Keepers,
        boxes: Boxes,
        notices: Notices,
        bound: Owed,
        gone_max: int,  # what was settled lately is remembered of so many messages
    ) -> None:
        self._owed, self._look_ms, self._gone_max = bound, 0, gone_max
        self._emit, self._links = emitter, links
        self._keepers = keepers
        self.boxes = boxes
        self._notices = notices
        self._drains: dict[str, Drain] = {}
        self._pages: dict[int, str] = {}  # page -> whose
        self._last_page = 0
        self._at_server: dict[LinkId, dict[str, str]] = {}  # msg_ref -> whose, handed to a server
        self._turns = Turns()  # of mailboxes that go to one server
        self._pauses = Pauses()
        self._gone: OrderedDict[tuple[str, str], MailState] = OrderedDict()  # settled lately

    # --- in -------------------------------------------------------------------------------------

    def deposit(self, mail: Mail, now: Now) -> None:
        """Keep it, and hand it out where that can be now. Raises PeerFault(MAILBOX_FULL)."""
        self.boxes.check(mail)
        drain = self._drains.get(mail.user_id)
        if drain is not None and mail.msg_ref in drain.over:
            return  # the reader wants no more of this file
        self._gone.pop((mail.user_id, mail.msg_ref), None)
        first = not self.boxes.count(mail.user_id)
        self.boxes.put(mail)
        self._emit.persist(mail)
        if drain is None and first:
            drain = self._begin(mail.user_id, mail.seq - 1, now)
        if drain is not None and drain.phase is Phase.LEVEL:
            self._hand(drain, mail, now)

    def live_link(self, user_id: str) -> Link | None:
        """The link of a reader here who takes no part in `mailbox/1`, when all that waits was
        handed out: what comes now is written to it, and not kept."""
        link = self._links.users.get(user_id)
        if link is None or link.acks:
            return None
        drain = self._drains.get(user_id)
        return link if drain is None or drain.phase is Phase.LEVEL else None

    def drop(self, user_id: str, ref: str, sender: str, count: int, size: int) -> None:
        """Forget it as if it had never come; so much of it was kept."""
        self._emit.persist(MailDropped(user_id, ref))
        drain = self._drains.get(user_id)
        if drain is not None:
            self._forget(drain, ref)
        self.boxes.take(user_id, sender, count, size)

    def halves(self, mono: int) -> Iterator[tuple[str, str, Handed]]:
        """Files of which all that is here was handed out, that do not end, and of which nothing
        came since then: whose, which, and what there is of it."""
        for drain in tuple(self._drains.values()):
            if drain.phase is Phase.LEVEL:
                for ref, handed in tuple(drain.out.items()):
                    if handed.is_half_since(mono):
                        yield drain.user_id, ref, handed

    def known(self, user_id: str, ref: str, found: MailFound | None) -> MailState | None:
        """What became of it, where the store said `found` (None: it was not asked): what it was
        told last may not have been written."""
        state = None if found is None else found.state
        if state is not MailState.WAITING:
            return state
        return self._gone.get((user_id, ref), state)

    def settled_lately(self, user_id: str, ref: str) -> MailState | None:
        """What became of it, if that is not long ago."""
        return self._gone.get((user_id, ref))

    def not_stored(self, mail: Mail) -> None:
        """The disk did not take it after all, and nothing of it was sent."""
        self.boxes.take(mail.user_id, mail.sender, 1, mail.size)
        drain = self._drains.get(mail.user_id)
        if drain is not None:
            self._forget(drain, mail.msg_ref)

    # --- where it goes --------------------------------------------------------------------------

    def revisit(self, user_id: str, now: Now) -> None:
        """The reader came, left, moved, or the pause is over: see where the mail can go."""
        target = self._keepers.target(user_id)
        drain = self._drains.get(user_id)
        if drain is not None and (target is None or drain.link != target.id):
            self._end(drain)
            self._next_turn(drain.link, now)
            drain = None
        if target is None or drain is not None or not self.boxes.count(user_id):
            return
        if self._pauses.holds(user_id):
            return
        if target.stage is Stage.SERVER and not self._turns.take(target.id, user_id):
            return
        drain = self._begin(user_id, 0, now)
        if drain is not None:
            self._load(drain)

    def moved(self, user_id: str, now: Now) -> None:
        """Somebody says where the user is: what was refused before may be taken now."""
        self._pauses.end(user_id)
        self._keepers.no_detour(user_id)
        self.revisit(user_id, now)

    def server_linked(self, link: Link, now: Now) -> None:
        """A link with a server: mail for its users goes."""
        for user_id in self.boxes:
            if self._keepers.target(user_id) is link:
                self._pauses.end(user_id)
                self.revisit(user_id, now)

    def link_lost(self, link: Link) -> None:
        """What was handed out and not acknowledged is handed out again on the next link."""
        for drain in tuple(self._drains.values()):
            if drain.link == link.id:
                self._end(drain)
        self._at_server.pop(link.id, None)
        self._turns.lost(link.id)

    def due(self, now: Now) -> None:
        """Pauses that are over, servers that say nothing, users who acknowledge nothing."""
        if now.mono < self._look_ms:
            return
        self._look_ms = now.mono + LOOK_MS
        slow = self._owed.bound(owed(self._drains.values()))
        for user_id in self._pauses.over(now.mono):
            self.revisit(user_id, now)
        for drain in tuple(self._drains.values()):
            silent = drain.owed and now.mono - drain.since_ms > UNACKED_MS
            if drain.to_server and (silent or drain.link in slow):
                self._pause(drain, now)

    def _begin(self, user_id: str, cursor: int, now: Now) -> Drain | None:
        link = self._keepers.target(user_id)
        if link is None or self._pauses.holds(user_id):
            return None
        drain = Drain(
            user_id=user_id,
            link=link.id,
            acks=link.acks,
            to_server=link.stage is Stage.SERVER,
            since_ms=now.mono,
            cursor=cursor,
        )
        self._drains[user_id] = drain
        return drain

    def _end(self, drain: Drain) -> None:
        del self._drains[drain.user_id]
        self._pages.pop(drain.page, None)
        for ref in drain.out:
            self._at_server.get(drain.link, {}).pop(ref, None)
        self._turns.done(drain.link, drain.user_id)

    def _pause(self, drain: Drain, now: Now) -> None:
        """It cannot go just now: all of it again, later."""
        self._end(drain)
        self._pauses.begin(drain.user_id, now.mono)
        self._next_turn(drain.link, now)

    def _next_turn(self, link: LinkId, now: Now) -> None:
        while called := self._turns.next(link):  # some of them may have nowhere to go by now
            for user_id in called:
                self.revisit(user_id, now)

    # --- pages ----------------------------------------------------------------------------------

    def _load(self, drain: Drain) -> None:
        drain.phase = Phase.LOADING
        drain.upto = self.boxes.last_seq(drain.user_id)
        self._emit.add(
            Ask(LoadMail(drain.user_id, drain.cursor, PAGE_PIECES, PAGE_BYTES, drain.handed_below))
        )

    def loaded(self, query: LoadMail, page: MailPage | None, now: Now) -> None:
        """A page of mail, or None where the store could not be read."""
        drain = self._drains.get(query.user_id)
        if drain is None or drain.phase is not Phase.LOADING or query.after_seq != drain.cursor:
            return None
        if page is None:
            return self._pause(drain, now)
        link = self._links.all.get(drain.link)
        assert link is not None  # a drain ends with its link
        frames = [
            self._frame(drain, link, mail, queued=True)
            for mail in page.mail
            if self._take_out(drain, link, mail, now)
        ]
        if not page.more:
            drain.cursor = max(drain.cursor, drain.upto)
        if not frames:
            return self._went(drain, now)
        self._last_page += 1
        drain.phase, drain.page = Phase.PACING, self._last_page
        self._pages[self._last_page] = drain.user_id
        self._emit.add(Snapshot(drain.link, tuple(frames), page=drain.page))

    def page_done(self, link: LinkId, page: int, now: Now) -> None:
        """The socket took a page."""
        drain = self._drains.get(self._pages.pop(page, ""))
        if drain is None or drain.link != link or drain.page != page:
            return
        drain.since_ms = now.mono
        if not drain.acks:
            self._emit.persist(MailHanded(drain.user_id, drain.cursor))
        self._went(drain, now)

    def _went(self, drain: Drain, now: Now) -> None:
        """A page is out: the next one, or all is."""
        if self.boxes.last_seq(drain.user_id) > drain.cursor:
            return self._load(drain)
        drain.phase = Phase.LEVEL
        for ref in tuple(drain.over & drain.out.keys()):
            self._settle(drain, ref, MailState.DELIVERED, now)
        self._turns.done(drain.link, drain.user_id)
        self._next_turn(drain.link, now)
        self._rest(drain)

    def _rest(self, drain: Drain) -> None:
        """All went and all was acknowledged."""
        if drain.phase is not Phase.LEVEL or drain.out or drain.skipped or not drain.acks:
            return
        self.boxes.empty(drain.user_id)
        self._keepers.no_detour(drain.user_id)
        if not drain.over:
            self._end(drain)

    # --- handing out ----------------------------------------------------------------------------

    def _hand(self, drain: Drain, mail: Mail, now: Now) -> None:
        link = self._links.all.get(drain.link)
        assert link is not None
        if self._take_out(drain, link, mail, now):
            late = bool(mail.via) or abs(mail.ts - now.wall) > FRESH_MS
            self._emit.send((link.id,), self._frame(drain, link, mail, queued=late))

    def _take_out(self, drain: Drain, link: Link, mail: Mail, now: Now) -> bool:
        """Note it as handed out; False where it does not go over this link."""
        if drain.to_server and self._came_from(link, mail):
            drain.cursor, drain.skipped = max(drain.cursor, mail.seq), True
            return False
        drain.note(mail, now.mono)
        if drain.to_server and drain.acks:
            self._at_server.setdefault(drain.link, {})[mail.msg_ref] = mail.user_id
        return mail.msg_ref not in drain.over

    def _came_from(self, link: Link, mail: Mail) -> bool:
        """Never back over the link it came from, but for a reader who moved there since."""
        return mail.via == link.peer and (self._keepers.attach_ts(mail.user_id) <= mail.attach_ts)

    def _frame(self, drain: Drain, link: Link, mail: Mail, *, queued: bool) -> Outgoing:
        if drain.to_server:
            return to_server(self._emit, link, mail, queued=queued and link.acks)
        return to_user(self._emit, link, mail)

    # --- what becomes of it ---------------------------------------------------------------------

    def acked(self, link: Link, ack: Ack, now: Now) -> bool:
        """ACK of a reader's client, or of the server that has it now. False: it is not about
        mail."""
        if not link.acks:
            return False
        whose = link.peer
        if link.stage is Stage.SERVER:
            whose = self._at_server.get(link.id, {}).get(ack.msg_ref, "")
        drain = self._drains.get(whose)
        if drain is None or drain.link != link.id or ack.msg_ref not in drain.out:
            return False
        drain.since_ms = now.mono
        handed = drain.out[ack.msg_ref]
        if handed.is_file and ack.of != FileEnd.TYPE:
            return True
        if drain.to_server:
            self._server_has(drain, ack, handed, now)
        elif handed.is_file and not handed.ended and drain.phase is not Phase.LEVEL:
            drain.over.add(ack.msg_ref)
        else:
            self._settle(drain, ack.msg_ref, MailState.DELIVERED, now)
        self._rest(drain)
        return True

    def _server_has(self, drain: Drain, ack: Ack, handed: Handed, now: Now) -> None:
        if ack.status == REFUSED:
            return self._refused(drain, ack.msg_ref, "the reader's server refused it", now)
        if handed.is_file and not handed.ended:
            return None
        done = ack.status == DELIVERED
        state = MailState.DELIVERED if done else MailState.FORWARDED
        if not done:
            by = self._links.all[drain.link].peer
            self._notices.later(ack.msg_ref, handed.sender, handed.via, by=by)
        self._settle(drain, ack.msg_ref, state, now)

    def _settle(self, drain: Drain, ref: str, state: MailState, now: Now) -> None:
        handed = self._forget(drain, ref)
        if handed is None:
            return
        self._pauses.end(drain.user_id)
        if handed.is_file and not handed.ended:
            drain.over.add(ref)  # its author may not be through with it
        self._emit.persist(MailSettled(drain.user_id, ref, state))
        self._gone[drain.user_id, ref] = state
        if len(self._gone) > self._gone_max:
            self._gone.popitem(last=False)
        self.boxes.take(drain.user_id, handed.sender, handed.count, handed.size)
        if state is MailState.DELIVERED:
            of = FileEnd.TYPE if handed.is_file else ""
            ack = Ack(msg_ref=ref, status=DELIVERED, of=of)
            self._notices.tell(handed.sender, handed.via, ack, now)

    def _forget(self, drain: Drain, ref: str) -> Handed | None:
        self._at_server.get(drain.link, {}).pop(ref, None)
        return drain.out.pop(ref, None)

    def server_refused(self, link: Link, error: Error, now: Now, *, final: bool) -> bool:
        """ERROR of the server that mail was handed to; `final`: it will never take it. False: it
        is not about mail."""
        whose = self._at_server.get(link.id, {}).get(error.msg_ref, "")
        drain = self._drains.get(whose)
        if drain is None or drain.link != link.id:
            return False
        if final:
            self._refused(drain, error.msg_ref, f"{error.code}: {error.detail}", now)
            self._rest(drain)
        elif self._keepers.detour(whose, error.moved_to, but=link.peer):
            self.revisit(whose, now)
        else:
            self._emit.debug(MAIL, f"{link.name()} does not take mail now: {error.code}")
            self._pause(drain, now)
        return True

    def _refused(self, drain: Drain, ref: str, why: str, now: Now) -> None:
        """It will never be taken: forget it, and say so to its author while they can hear it."""
        if (handed := self._forget(drain, ref)) is None:
            return
        self._emit.persist(MailDropped(drain.user_id, ref))
        self.boxes.take(drain.user_id, handed.sender, handed.count, handed.size)
        detail = f"the reader's server did not take it ({why})"[: limits.ERROR_DETAIL_CHARS]
        self._notices.tell(
            handed.sender,
            handed.via,
            Error(code=Code.NOT_ALLOWED, detail=detail, msg_ref=ref),
            now,
        )
