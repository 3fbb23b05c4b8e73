"""`fast-sig/1` at a client: what it states, what it signs by it, and what of its server it believes
(section 11)."""

from __future__ import annotations

import msgspec
import pytest

from socp.crypto import fast_sig
from socp.crypto.fast_sig import OwnSession, PeerSession, hop_signed
from socp.crypto.signing import verify_transport
from socp.member.effects import PeerMoved, Transmit
from socp.member.events import RequestList, Tick
from socp.member.own_frame import QUICK_BYTES, Ready, Unsigned
from socp.wire import limits
from socp.wire.canonical import to_members
from socp.wire.envelope import Envelope, encode
from socp.wire.features import BIND, FAST_SIG
from socp.wire.payloads import Ack, FileChunk, Session
from tests.member.desk import HYBRID_ALONE, WITH_MAILBOX, Desk, Friend, an_id

FEATURES = (*WITH_MAILBOX, FAST_SIG)
DAY = limits.SESSION_MS

pytestmark = pytest.mark.spec("11")


class Fast(Desk):
    """A desk whose server has a session key."""

    def __init__(self, features: tuple[str, ...] = FEATURES) -> None:
        super().__init__(features)
        self.theirs = self.makes()

    def makes(self, *, later_ms: int = 0) -> OwnSession:
        """A session key of the server's."""
        wall = self.wall + later_ms
        return fast_sig.made(self.suite, self.server_key, self.server_id, wall)

    def attaches(self) -> Fast:
        self.connects()
        self.is_challenged()
        self.is_welcomed(stated=self.theirs.stated)
        return self

    def ours(self) -> PeerSession:
        """The session key that our AUTH_PROOF stated, believed."""
        return self.believes(self.sent("AUTH_PROOF")[-1].members["session"])

    def believes(self, stated: object) -> PeerSession:
        session = msgspec.convert(stated, Session)
        return fast_sig.believed(self.suite, self.key.public, self.id, session, self.wall)

    def is_told(self, friend: Friend, text: str, *, fast: OwnSession) -> Envelope:
        """A message of theirs, handed out under this session key."""
        self.wall += 1
        return self.hears("USER_DELIVER", friend.delivery(friend.seals(text)), fast=fast)

    def asks(self) -> None:
        """A tick a minute later."""
        self.mono += 60_000
        self.event(Tick())


def test_the_proof_states_a_session_key_under_a_signature_of_our_own() -> None:
    desk = Fast().attaches()
    proof = desk.sent("AUTH_PROOF")[0]
    assert desk.ours().until_ts - desk.ours().from_ts == DAY
    assert verify_transport(desk.key.public, proof)


def test_each_link_has_a_session_key_of_its_own() -> None:
    desk = Fast().attaches()
    first = desk.ours()
    desk.loses_the_link()
    desk.wall += 1
    desk.attaches()
    assert desk.ours().key.raw != first.key.raw


def test_acks_and_messages_are_signed_by_it_and_questions_are_not() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.is_told(bob, "hello", fast=desk.theirs)
    assert desk.texts == ["hello"]
    desk.says(bob, "hello yourself")
    said = desk.sent("ACK")[-1], desk.sent("MSG_DIRECT")[-1]
    assert [desk.ours().signed(frame, desk.wall) for frame in said] == [True, True]
    desk.event(RequestList())
    assert verify_transport(desk.key.public, desk.sent("LIST_REQUEST")[-1])


def test_a_short_frame_is_signed_on_the_spot_and_a_long_one_in_a_thread() -> None:
    desk = Fast().attaches()
    desk.is_told(desk.friend("bob", *HYBRID_ALONE), "hello", fast=desk.theirs)
    ack = [effect for effect in desk.did(Transmit) if b'"ACK"' in effect.frame.data[:20]][-1]
    assert isinstance(ack.frame, Ready)
    own = desk.makes()
    names = {"from_": "me", "to": "you", "ts": desk.wall}
    short = Unsigned(own, Ack(msg_ref="m"), **names)  # type: ignore[arg-type]
    chunk = FileChunk(file_id=an_id("file"), index=0, ciphertext="A" * QUICK_BYTES)
    long = Unsigned(own, chunk, **names)  # type: ignore[arg-type]
    rsa = Unsigned(desk.key, Ack(msg_ref="m"), **names)  # type: ignore[arg-type]
    assert [frame.is_quick for frame in (short, long, rsa)] == [True, False, False]


@pytest.mark.parametrize("features", [WITH_MAILBOX, tuple(f for f in FEATURES if f != BIND)])
def test_a_server_without_it_hears_nothing_of_it(features: tuple[str, ...]) -> None:
    desk = Fast(features).attaches()
    assert "session" not in desk.sent("AUTH_PROOF")[0].members
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.says(bob, "hello")
    assert verify_transport(desk.key.public, desk.sent("MSG_DIRECT")[-1])
    desk.hears("SESSION_KEY", {"session": to_members(desk.makes(later_ms=1).stated)})
    bound = BIND in features
    desk.is_told(bob, "signed by nobody we know", fast=desk.theirs)
    assert bool(desk.texts) is not bound
    assert len(desk.warnings) == bound


@pytest.mark.threat("M9")
def test_what_the_answer_does_not_announce_is_not_agreed() -> None:
    """AUTH_CHALLENGE is signed by nobody: somebody on the way may have put it in there."""
    desk = Fast()
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(features=WITH_MAILBOX, stated=desk.theirs.stated)
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.says(bob, "hello")
    assert verify_transport(desk.key.public, desk.sent("MSG_DIRECT")[-1])
    desk.is_told(bob, "hello", fast=desk.theirs)
    assert not desk.texts
    desk.wall += DAY // 2
    desk.asks()
    assert not desk.sent("SESSION_KEY")


def test_a_server_that_got_its_session_key_after_the_challenge_is_believed() -> None:
    """It lost the one before where its clock was set, and announces and states the next."""
    desk = Fast(WITH_MAILBOX)
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(features=FEATURES, stated=desk.theirs.stated)
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.is_told(bob, "hello", fast=desk.theirs)
    later = desk.makes(later_ms=1)
    desk.hears("SESSION_KEY", {"session": to_members(later.stated)}, fast=desk.theirs)
    desk.is_told(bob, "and again", fast=later)
    assert desk.texts == ["hello", "and again"]
    assert all(verify_transport(desk.key.public, ack) for ack in desk.sent("ACK"))
    assert not desk.warnings


@pytest.mark.parametrize(
    "what", ["expired", "not valid yet", "another's id", "another's key", "no session key at all"]
)
def test_a_bad_session_key_ends_the_hello(what: str) -> None:
    desk = Fast()
    stated = desk.theirs.stated
    match what:
        case "expired":
            stated = desk.makes(later_ms=-DAY - limits.TS_WINDOW_MS - 1).stated
        case "not valid yet":
            stated = desk.makes(later_ms=limits.TS_WINDOW_MS + 1).stated
        case "another's id":
            stated = fast_sig.made(desk.suite, desk.server_key, desk.id, desk.wall).stated
        case "another's key":
            stated = fast_sig.made(desk.suite, desk.key, desk.server_id, desk.wall).stated
        case _:
            stated = msgspec.structs.replace(stated, key="AAAA")
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(stated=stated)
    assert not desk.member.attached
    assert [(end.retry, "session key" in end.reason) for end in desk.ended] == [(True, True)]


@pytest.mark.threat("I8")
def test_what_a_server_calls_itself_is_harmless_in_what_is_said_of_its_session_key() -> None:
    name = "\x1b]0;me\x07\u202eyou"
    desk = Desk((*WITH_MAILBOX, FAST_SIG))
    desk.server_id = name
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(stated=fast_sig.made(desk.suite, desk.key, name, desk.wall).stated)
    assert not desk.member.attached
    assert "is not signed by the key of" in desk.ended[0].reason
    assert desk.ended[0].reason.isprintable()


@pytest.mark.threat("M1")
@pytest.mark.threat("M14")
def test_only_what_this_server_says_to_us_counts() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    delivery = bob.delivery(bob.seals("hello"))
    other = fast_sig.made(desk.suite, desk.suite.generate(), desk.server_id, desk.wall)
    desk.hears("USER_DELIVER", delivery, fast=other)
    desk.hears("USER_DELIVER", delivery, fast=desk.theirs, to=an_id("somebody else"))
    elsewhere = desk.frame("USER_DELIVER", delivery, fast=desk.theirs, to=an_id("somebody else"))
    stolen = (elsewhere.payload, elsewhere.sig)
    desk.hears_again(Envelope("USER_DELIVER", desk.server_id, desk.id, desk.wall, *stolen))
    desk.hears("USER_DELIVER", delivery, fast=desk.theirs, bind=False)
    assert not desk.texts
    assert not desk.sent("ACK")
    desk.hears("USER_DELIVER", delivery, fast=desk.theirs)
    assert desk.texts == ["hello"]


@pytest.mark.threat("M1")
def test_presence_and_shares_are_never_signed_by_a_session_key() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", online=False)
    desk.hears("USER_ADVERTISE", desk.advert(bob), to="*", fast=desk.theirs)
    assert not desk.told(PeerMoved)
    assert len(desk.warnings) == 1
    desk.comes(bob)
    assert desk.told(PeerMoved)[-1].user_id == bob.id


def test_a_session_key_that_is_over_says_nothing() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.wall += DAY + limits.TS_WINDOW_MS + 1
    desk.is_told(bob, "too late", fast=desk.theirs)
    assert not desk.texts


@pytest.mark.threat("M2")
def test_the_servers_next_one_is_acknowledged_and_no_older_one_follows() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    later = desk.makes(later_ms=1)
    desk.hears("SESSION_KEY", {"session": to_members(later.stated)}, fast=desk.theirs)
    assert desk.sent("ACK")[-1].members["msg_ref"] == "SESSION_KEY"
    for session in (desk.theirs, later):
        desk.is_told(bob, session.stated.key, fast=session)
    assert desk.texts == [desk.theirs.stated.key, later.stated.key]
    acks = len(desk.sent("ACK"))
    for older in (desk.theirs, later, desk.makes(later_ms=-1000)):
        desk.hears("SESSION_KEY", {"session": to_members(older.stated)}, fast=later)
    foreign = fast_sig.made(desk.suite, desk.key, desk.server_id, desk.wall + 5).stated
    desk.hears("SESSION_KEY", {"session": to_members(foreign)}, fast=later)
    assert len(desk.sent("ACK")) == acks
    desk.is_told(bob, "still here", fast=later)
    assert desk.texts[-1] == "still here"


def test_ours_is_renewed_after_half_a_day_and_used_once_it_is_acknowledged() -> None:
    desk = Fast().attaches()
    bob, first = desk.friend("bob", *HYBRID_ALONE), desk.ours()
    desk.asks()
    assert not desk.sent("SESSION_KEY")
    desk.wall += DAY // 2
    desk.asks()
    told = desk.sent("SESSION_KEY")[0]
    assert first.signed(told, desk.wall)
    second = desk.believes(told.members["session"])
    desk.is_told(bob, "one", fast=desk.theirs)
    assert first.signed(desk.sent("ACK")[-1], desk.wall)
    desk.hears("ACK", {"msg_ref": "SESSION_KEY"}, fast=desk.theirs)
    desk.is_told(bob, "two", fast=desk.theirs)
    assert second.signed(desk.sent("ACK")[-1], desk.wall)
    desk.asks()
    assert len(desk.sent("SESSION_KEY")) == 1
    assert not desk.warnings


def test_where_nobody_acknowledges_it_another_is_told_and_our_own_key_signs_in_the_end() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.wall += DAY // 2
    desk.asks()
    desk.hears("ERROR", {"code": "BAD_FRAME", "detail": "no", "msg_ref": "SESSION_KEY"})
    desk.event(Tick())
    assert len(desk.sent("SESSION_KEY")) == 1
    desk.asks()
    assert len(desk.sent("SESSION_KEY")) == 2
    desk.wall += DAY // 2
    desk.event(Tick())
    desk.says(bob, "hello")
    assert verify_transport(desk.key.public, desk.sent("MSG_DIRECT")[-1])
    assert not desk.warnings


def test_while_two_are_told_and_neither_acknowledged_our_own_key_signs() -> None:
    """Both may be on their way still, behind a file: with the later one the first is forgotten."""
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.wall += DAY // 2
    desk.asks()
    desk.wall += 60_000
    desk.asks()
    desk.is_told(bob, "one", fast=desk.theirs)
    server = desk.ours()
    for told in desk.sent("SESSION_KEY"):
        assert hop_signed(desk.key.public, server, told, desk.wall)
        server = server.followed_by(desk.believes(told.members["session"]))
    assert hop_signed(desk.key.public, server, desk.sent("ACK")[-1], desk.wall)
    desk.hears("ACK", {"msg_ref": "SESSION_KEY"}, fast=desk.theirs)
    desk.is_told(bob, "two", fast=desk.theirs)
    assert server.signed(desk.sent("ACK")[-1], desk.wall)


def test_what_goes_again_on_another_link_is_signed_for_that_link() -> None:
    desk = Fast().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.says(bob, "hello")
    first = desk.sent("MSG_DIRECT")[0]
    desk.loses_the_link()
    desk.wall += 1
    desk.attaches()
    desk.comes(bob)
    desk.passes(1)
    again = desk.sent("MSG_DIRECT")[-1]
    assert (again.payload, again.ts, again.to) == (first.payload, first.ts, first.to)
    assert desk.ours().signed(again, desk.wall)
    assert not desk.ours().signed(first, desk.wall)
    desk.loses_the_link()
    desk.server_features = WITH_MAILBOX
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed()
    desk.comes(bob)
    desk.passes(1)
    again = desk.sent("MSG_DIRECT")[-1]
    assert verify_transport(desk.key.public, again)
    assert encode(again.type, again.from_, again.to, again.ts, again.payload, "") == encode(
        first.type, first.from_, first.to, first.ts, first.payload, ""
    )
