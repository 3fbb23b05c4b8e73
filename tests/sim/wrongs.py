"""Plausible wrong changes, each made by a switch: the simulator must see every one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from msgspec import structs

from socp.crypto.content_sig import Form
from socp.member.letters import Letter
from socp.member.seen import Seen, Verdict
from socp.member.successors import Successors
from socp.member.threads import Standing, Threads
from socp.node.dedup import SeenIds
from socp.node.effects import Persist
from socp.node.gate import Gate
from socp.node.gossip import Gossip
from socp.node.kept import Kept
from socp.node.mailbox import Mailbox
from socp.node.node import Node
from socp.node.post_log import PostLog
from socp.node.presence import Presence
from socp.node.recall import Recall
from socp.node.records import Mail, MailDropped
from socp.sim import server
from socp.sim.commits import Batch, Commits
from socp.sim.disk import MemberDisk, NodeDisk
from socp.sim.laws import Law

Patch = pytest.MonkeyPatch
Wrong = Callable[[Patch], None]


def nothing(*_: Any, **__: Any) -> None:
    return None


def forgets_seen_ids(patch: Patch) -> None:
    patch.setattr(SeenIds, "__contains__", lambda _self, _key: False)


def acknowledges_before_the_commit(patch: Patch) -> None:
    """A frame is sent at once, and what it says is kept a moment later."""

    def add(self: Commits, effects: list[Any]) -> None:
        kept = tuple(each.record for each in effects if isinstance(each, Persist))
        self._done(Batch(0, (), [each for each in effects if not isinstance(each, Persist)]))
        if kept:
            self._waiting.append(Batch(self._agenda.mono + self.takes_ms, kept, []))
            self._agenda.after(self.takes_ms, self._advance)

    patch.setattr(Commits, "add", add)


def answers_from_memory_while_a_commit_fails(patch: Patch) -> None:
    patch.setattr(server, "is_promise", lambda _effect: False)


def forgets_that_a_commit_failed(patch: Patch) -> None:
    patch.setattr(Node, "_not_committed", nothing)


def keeps_nothing_of_what_it_says_it_keeps(patch: Patch) -> None:
    write = NodeDisk.write

    def writes(self: NodeDisk, record: Any) -> None:
        if not isinstance(record, Mail) or record.ts % 3:
            write(self, record)

    patch.setattr(NodeDisk, "write", writes)


def mail_is_settled_when_it_is_handed_out(patch: Patch) -> None:
    """Whether the reader's client acknowledges it or not."""
    take_out = Mailbox._take_out

    def takes_out(self: Mailbox, drain: Any, link: Any, mail: Any, now: Any) -> bool:
        went = take_out(self, drain, link, mail, now)
        for ref in tuple(drain.out):
            handed = drain.out[ref]
            self._emit.persist(MailDropped(drain.user_id, ref))
            self.boxes.take(drain.user_id, handed.sender, handed.count, handed.size)
            self._forget(drain, ref)
        return went

    patch.setattr(Mailbox, "_take_out", takes_out)


def a_lost_link_keeps_its_mail_handed_out(patch: Patch) -> None:
    patch.setattr(Mailbox, "link_lost", nothing)


def mail_is_not_looked_at_when_a_server_links(patch: Patch) -> None:
    patch.setattr(Mailbox, "server_linked", nothing)
    patch.setattr(Mailbox, "moved", nothing)


def every_refusal_is_final(patch: Patch) -> None:
    refused = Mailbox.server_refused

    def refuses(self: Mailbox, link: Any, error: Any, now: Any, *, final: bool) -> bool:
        return refused(self, link, error, now, final=True)

    patch.setattr(Mailbox, "server_refused", refuses)


def a_clock_that_is_wrong_refuses_for_good(patch: Patch) -> None:
    patch.setattr(
        Kept,
        "server_refused",
        lambda self, link, error, _ts, now: any(
            part.server_refused(link, error, now, final=error.code == "BAD_FRAME")
            for part in (self._mailbox, self._posts)
        ),
    )
    live = PostLog.live

    def lives(self: PostLog, post: Any, now: Any, *, forward: bool) -> Any:
        yield from live(self, post, now, forward=forward)
        for reader in self._readers.values():
            reader.live.clear()

    patch.setattr(PostLog, "live", lives)


def the_store_is_not_asked(patch: Patch) -> None:
    found = Recall.found

    def finds(self: Recall, query: Any, answer: Any) -> Any:
        return found(self, query, None if answer is None else structs.replace(answer, state=None))

    patch.setattr(Recall, "found", finds)
    patch.setattr(SeenIds, "__contains__", lambda _self, _key: False)


def posts_missed_by_members_are_not_shown(patch: Patch) -> None:
    came = PostLog.member_came

    def comes(self: PostLog, link: Any, since_wall_ms: int, now: Any) -> None:
        self._cursors[link.peer] = self._last
        came(self, link, since_wall_ms, now)

    patch.setattr(PostLog, "member_came", comes)


def posts_missed_by_servers_are_not_sent(patch: Patch) -> None:
    came = PostLog.server_came

    def comes(self: PostLog, link: Any, now: Any) -> None:
        self._cursors[link.peer] = self._last_own
        came(self, link, now)

    patch.setattr(PostLog, "server_came", comes)


def presence_in_any_order(patch: Patch) -> None:
    patch.setattr(Presence, "_newer", lambda *_: True)


def who_leaves_is_not_told(patch: Patch) -> None:
    patch.setattr(Presence, "left", nothing)


def gossip_never_asks_again(patch: Patch) -> None:
    patch.setattr(Gossip, "_ask", nothing)


def what_is_asked_for_again_is_said_as_before(patch: Patch) -> None:
    patch.setattr(Presence, "said_anew", lambda self, _now: self.own_adverts())


def who_came_since_is_dropped_too(patch: Patch) -> None:
    """As before the simulator: a heartbeat that a relayed arrival overtook."""

    def keeps_only(self: Presence, server_id: str, users: Any, _ts: int, now: Any) -> None:
        for present in tuple(self._online.values()):
            if present.server_id == server_id and present.user_id not in users:
                self._forget(present, now)

    patch.setattr(Presence, "keep_only", keeps_only)
    what_is_asked_for_again_is_said_as_before(patch)


def a_client_forgets_what_it_read(patch: Patch) -> None:
    patch.setattr(Seen, "judge", lambda *_: Verdict.NEW)
    patch.setattr(SeenIds, "__contains__", lambda _self, _key: False)


def a_client_forgets_its_outbox_at_a_start(patch: Patch) -> None:
    load = MemberDisk.load
    patch.setattr(MemberDisk, "load", lambda self: replace(load(self), outbox=()))


def a_client_shows_late_words_as_new(patch: Patch) -> None:
    take = Threads.take

    def takes(self: Threads, *words: Any) -> Standing:
        standing = take(self, *words)
        return Standing.NEXT if standing is Standing.LATE else standing

    patch.setattr(Threads, "take", takes)


def a_reader_believes_the_key_in_the_frame(patch: Patch) -> None:
    """In place of the one that is pinned (M4, I9)."""

    def signer(self: Successors, _author: str, sender_pub: str, _ts: int) -> Any:
        return self._suite.parse_public(sender_pub), False

    patch.setattr(Successors, "signer", signer)


def a_reader_takes_every_signature_for_good(patch: Patch) -> None:
    patch.setattr(Letter, "signed_by", lambda self, _key, _first: (self.times[0], Form.RAW))


def what_a_server_forwards_needs_no_signature(patch: Patch) -> None:
    """Of the server in whose name it is (I3, M1)."""
    patch.setattr(Gate, "check_server", lambda *_: True)


CAUGHT: Final[dict[Wrong, tuple[int, Law]]] = {
    forgets_seen_ids: (0, Law.LIVELY),
    acknowledges_before_the_commit: (0, Law.KEPT),
    forgets_that_a_commit_failed: (0, Law.KEPT),
    keeps_nothing_of_what_it_says_it_keeps: (0, Law.KEPT),
    mail_is_settled_when_it_is_handed_out: (0, Law.KEPT),
    a_lost_link_keeps_its_mail_handed_out: (1, Law.SOUND),
    mail_is_not_looked_at_when_a_server_links: (0, Law.DELIVERED),
    every_refusal_is_final: (2, Law.KEPT),
    a_clock_that_is_wrong_refuses_for_good: (2, Law.DELIVERED),
    the_store_is_not_asked: (0, Law.LIVELY),
    posts_missed_by_members_are_not_shown: (0, Law.DELIVERED),
    posts_missed_by_servers_are_not_sent: (0, Law.DELIVERED),
    presence_in_any_order: (0, Law.LIVELY),
    who_leaves_is_not_told: (0, Law.SOUND),
    gossip_never_asks_again: (2, Law.CONVERGED),
    what_is_asked_for_again_is_said_as_before: (5, Law.CONVERGED),
    who_came_since_is_dropped_too: (2, Law.CONVERGED),
    a_client_forgets_what_it_read: (0, Law.LIVELY),
    a_client_forgets_its_outbox_at_a_start: (2, Law.DELIVERED),
    answers_from_memory_while_a_commit_fails: (22, Law.DELIVERED),
    a_client_shows_late_words_as_new: (56, Law.ORDER),
    a_reader_takes_every_signature_for_good: (1, Law.SIGNED),
    a_reader_believes_the_key_in_the_frame: (1, Law.SIGNED),
    what_a_server_forwards_needs_no_signature: (32, Law.CONVERGED),
}
"""With the first seed of the short form that shows it; `script/wrongs` looks for them."""
