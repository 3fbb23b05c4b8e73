"""Section 11: `fast-sig/1`, session keys: who gets them, whose are believed, what follows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from socp.conform.canonical import canonical
from socp.conform.cast import Identity
from socp.conform.expect import LISTS, about, refused
from socp.conform.figures import SESSION_MS, WINDOW_MS
from socp.conform.frames import now_ms
from socp.conform.peers import Peer
from socp.conform.probe import Probe, proof_payload, say_first, turned_away
from socp.conform.rule import Need, Section
from socp.conform.rules.link_auth import BOUND, challenged, proving_user
from socp.conform.sessions import ED, NotASession, OwnSession, Session, new_session, read_session
from socp.conform.verdicts import Breach

FAST_SIG: Final[Section[Probe]] = Section(needs=(Need.USERS,), feature="fast-sig/1")
FAST: Final = (*BOUND, "fast-sig/1")
CERTIFIED: Final = "11.180-certificate"
RENEWED: Final = "11.200-renewed"
_RENEWAL: Final = "SESSION_KEY"


async def agreed(
    probe: Probe, name: str = "flo", *, server: bool = False, features: Sequence[str] = FAST
) -> tuple[Peer, OwnSession]:
    """Somebody who proved the key, and stated a session key."""
    probe.check_may_prove()
    own = new_session(await probe.identity(name))
    enter = probe.server if server else probe.user
    return await enter(name, features=features, proof={"session": own.stated}), own


def stated_to(peer: Peer) -> Session:
    """The session key that the answer to this peer states. Raises Breach where it does not hold."""
    try:
        return read_session(peer.answer.get("session"), peer.server_key, peer.server_id)
    except NotASession as fault:
        raise Breach(f"session in {peer.answer.type}: {fault}") from fault


def hop(
    peer: Peer, own: OwnSession, kind: str, payload: dict[str, Any], **changed: Any
) -> dict[str, Any]:
    """A frame of this peer, signed by this session key; bound to the server's id, where `to` does
    not say another."""
    return own.signed(peer.frame(kind, payload, **{"to": peer.server_id, "sig": "", **changed}))


def _counts_now(peer: Peer) -> None:
    try:
        stated_to(peer).check_time(now_ms())
    except NotASession as fault:
        raise Breach(f"session: {fault}") from fault


# --- the certificate ----------------------------------------------------------------------------


@FAST_SIG.extension(
    CERTIFIED,
    "the ACK of a user who proved the key, with fast-sig/1 and bind/1 on both ends, has session: a"
    " key certified by the server's own key, for its own id",
    'sign "socp-session-key/1" || your id || key || from_ts || until_ts with your own key, and put'
    " session {key, from_ts, until_ts, sig} into that ACK",
)
async def _certificate(probe: Probe) -> None:
    flo, _ = await agreed(probe)
    stated_to(flo)


@FAST_SIG.extension(
    "11.181-certificate-day",
    "it lasts 24 h at most, and is for now",
    "let until_ts be 24 h after from_ts at most, and make another in time",
    rests_on=CERTIFIED,
)
async def _certificate_day(probe: Probe) -> None:
    flo, _ = await agreed(probe)
    _counts_now(flo)


@FAST_SIG.extension(
    "11.182-certificate-own-sig",
    "the ACK that states it is signed by the server's own key",
    "sign the answer that states a session key with the own key, as ever",
    rests_on=CERTIFIED,
)
async def _certificate_own_sig(probe: Probe) -> None:
    flo, _ = await agreed(probe)
    if not flo.server_key.signed(flo.answer.sig, canonical(flo.answer.payload)):
        raise Breach(f"its sig, {flo.answer.sig[:12]!r}..., is not by the own key")


@FAST_SIG.extension(
    "11.183-certificate-to-server",
    "SERVER_WELCOME to a server that proved itself has such a session too",
    "put session into SERVER_WELCOME as into ACK",
    needs=[Need.SERVERS],
)
async def _certificate_to_server(probe: Probe) -> None:
    fritz, _ = await agreed(probe, "fritz", server=True)
    _counts_now(fritz)


_NOT_AGREED: Final = {
    "11.184-not-unproven": ("without link-auth/1", "fay", ("bind/1", "fast-sig/1")),
    "11.185-not-unbound": ("without bind/1", "fern", ("link-auth/1", "fast-sig/1")),
    "11.186-not-unannounced": ("without fast-sig/1", "dora", BOUND),
}


def _plain(rule_id: str, lacking: str, name: str, features: tuple[str, ...]) -> None:
    @FAST_SIG.extension(
        rule_id,
        f"a user {lacking} gets no session, and nothing that a session key signed",
        "agree where both ends announce fast-sig/1 and bind/1 and the dialler proved itself, and"
        " nowhere else",
    )
    async def _no_session(probe: Probe) -> None:
        if "link-auth/1" in features:
            probe.check_may_prove()
        peer = await probe.user(name, features=features)
        if "session" in peer.answer.payload:
            raise Breach(f"{peer.answer.type} has session")
        await peer.say("LIST_REQUEST", {})
        listed = await peer.link.hears(*LISTS)
        if listed.sig.startswith(ED):
            raise Breach(f"a session key signed {listed.type}")


for _id, _who in _NOT_AGREED.items():
    _plain(_id, *_who)


# --- ours, in AUTH_PROOF ------------------------------------------------------------------------

_Made = Callable[[Identity, Identity], OwnSession]
_BAD: Final[dict[str, tuple[str, _Made]]] = {
    "11.190-session-of-another-key": (
        "a session that another key signed",
        lambda flo, other: new_session(other, owner_id=flo.id),
    ),
    "11.191-session-of-another-id": (
        "a session for another id",
        lambda flo, other: new_session(flo, owner_id=other.id),
    ),
    "11.192-session-too-long": (
        "a session for more than 24 h",
        lambda flo, _: new_session(flo, lasts_ms=SESSION_MS + 1),
    ),
    "11.193-session-expired": (
        "a session that ended 10 min ago",
        lambda flo, _: new_session(
            flo, from_ts=now_ms() - SESSION_MS, lasts_ms=SESSION_MS - 2 * WINDOW_MS
        ),
    ),
    "11.194-session-not-yet": (
        "a session that begins in 10 min",
        lambda flo, _: new_session(flo, from_ts=now_ms() + 2 * WINDOW_MS, lasts_ms=WINDOW_MS),
    ),
}


def _no_good(rule_id: str, what: str, made: _Made) -> None:
    @FAST_SIG.extension(
        rule_id,
        f"{what}, in AUTH_PROOF, is refused (INVALID_SIG), and the link closed",
        "verify session by the dialler's own key and id, for a day at most, from 5 min before"
        " from_ts to 5 min after until_ts",
    )
    async def _refused(probe: Probe) -> None:
        probe.check_may_prove()
        flo, other = await probe.identity("flo"), await probe.identity("alice")
        own, link = made(flo, other), await probe.connect("flo")
        proof = {"session": own.stated}
        await turned_away(probe.attached(link, flo, features=FAST, proof=proof), "INVALID_SIG")
        await link.ends()


for _id, _bad in _BAD.items():
    _no_good(_id, *_bad)


@FAST_SIG.extension(
    "11.195-session-needs-sig",
    "an AUTH_PROOF with session and without sig is refused (INVALID_SIG), and the link closed",
    "verify sig of AUTH_PROOF where it has session: else somebody on the way may put an older one"
    " beside this proof",
)
async def _session_needs_sig(probe: Probe) -> None:
    link, flo, challenge = await challenged(probe, "flo", features=FAST)
    proof = proof_payload(flo, challenge, FAST, user=True)
    session = new_session(flo).stated
    await say_first(link, flo, "AUTH_PROOF", {**proof, "session": session}, sig="")
    await refused(link, "INVALID_SIG", ref="USER_HELLO")
    await link.ends()


# --- the next one -------------------------------------------------------------------------------


def _next(peer: Peer, after: OwnSession) -> OwnSession:
    return new_session(peer.who, from_ts=after.from_ts + 1)


async def _says_next(peer: Peer, to: OwnSession, by: OwnSession) -> None:
    """SESSION_KEY that states `to`, signed by `by`."""
    await peer.link.say(hop(peer, by, _RENEWAL, {"session": to.stated}))


async def _renews(peer: Peer, to: OwnSession, by: OwnSession) -> None:
    """It must be taken."""
    await _says_next(peer, to, by)
    came = await peer.link.hears("ACK", "ERROR")
    if came.type == "ERROR" or came.get("msg_ref") != _RENEWAL:
        raise Breach(f"it is answered by {came.gist()}")


async def _renews_not(peer: Peer, to: OwnSession, by: OwnSession) -> None:
    """It must be refused; then the link goes on."""
    await _says_next(peer, to, by)
    await refused(peer.link, "INVALID_SIG", ref=_RENEWAL)
    await peer.say("LIST_REQUEST", {})
    await peer.link.hears(*LISTS)


@FAST_SIG.extension(
    RENEWED,
    "SESSION_KEY with a newer session, signed by the one before, is answered by ACK"
    ' {msg_ref: "SESSION_KEY"}',
    "take the next session key of a link that agreed, and acknowledge it",
)
async def _renewed(probe: Probe) -> None:
    flo, own = await agreed(probe)
    await _renews(flo, _next(flo, own), own)


@FAST_SIG.extension(
    "11.201-new-counts",
    "after that ACK the new session key signs",
    "verify by the newest session key of the link",
    rests_on=RENEWED,
)
async def _new_counts(probe: Probe) -> None:
    flo, own = await agreed(probe)
    second = _next(flo, own)
    await _renews(flo, second, own)
    await _renews(flo, _next(flo, second), second)


@FAST_SIG.extension(
    "11.202-former-counts",
    "and so does the one before, for what was on its way",
    "keep the session key before the newest until its own end",
    rests_on=RENEWED,
)
async def _former_counts(probe: Probe) -> None:
    flo, own = await agreed(probe)
    second = _next(flo, own)
    await _renews(flo, second, own)
    await _renews(flo, _next(flo, second), own)


@FAST_SIG.extension(
    "11.203-two-before-is-over",
    "the one before that is over: what it signs is refused (INVALID_SIG)",
    "keep two session keys of a link, the newest and the one before",
    rests_on=RENEWED,
)
async def _two_before(probe: Probe) -> None:
    flo, own = await agreed(probe)
    second = _next(flo, own)
    third = _next(flo, second)
    await _renews(flo, second, own)
    await _renews(flo, third, second)
    await _renews_not(flo, _next(flo, third), own)


@FAST_SIG.extension(
    "11.204-not-newer",
    "a session that is not newer is refused (INVALID_SIG), and the link stays",
    "from_ts of the next one must be later than that of the one it follows",
)
async def _not_newer(probe: Probe) -> None:
    flo, own = await agreed(probe)
    older = new_session(flo.who, from_ts=own.from_ts - 1)
    await _renews_not(flo, older, own)


@FAST_SIG.extension(
    "11.205-next-of-another-key",
    "a next session that another key signed is refused (INVALID_SIG), and the link stays",
    "verify session in SESSION_KEY as in AUTH_PROOF: the session key before is not enough",
)
async def _next_of_another_key(probe: Probe) -> None:
    alice = await probe.alice()
    flo, own = await agreed(probe)
    foreign = new_session(alice.who, from_ts=own.from_ts + 1, owner_id=flo.id)
    await _renews_not(flo, foreign, own)


@FAST_SIG.extension(
    "11.206-next-where-none",
    "SESSION_KEY on a link that did not agree is refused (NOT_ALLOWED)",
    "take SESSION_KEY only where AUTH_PROOF had a session",
)
async def _next_where_none(probe: Probe) -> None:
    dora = await proving_user(probe, "dora", BOUND)
    session = new_session(dora.who).stated
    await dora.says_wrong(_RENEWAL, {"session": session}, to=dora.server_id)
    came = await dora.link.hears("ACK", "ERROR")
    if came.type == "ACK" and about(_RENEWAL)(came):
        raise Breach("it was taken")
    if came.get("code") != "NOT_ALLOWED":
        raise Breach(f"it is answered by {came.gist()}")
