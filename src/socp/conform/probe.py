"""What a rule works with: connections to the server that is judged, and people to play."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import aiohttp

from socp.conform import preimages
from socp.conform.canonical import canonical, unb64
from socp.conform.cast import Cast, Identity
from socp.conform.figures import MESSAGE_BYTES, NONCE_BYTES
from socp.conform.frames import Frame, now_ms
from socp.conform.link import GOODBYE_S, Link
from socp.conform.manners import Manners, Pace
from socp.conform.peers import Peer, server_hello, user_hello
from socp.conform.reaching import place, why_not
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Breach, Unjudged

HELLO_ANSWERS: Final = ("ACK", "USER_WELCOME", "AUTH_CHALLENGE", "ERROR")
LINK_ANSWERS: Final = ("SERVER_WELCOME", "ACK", "AUTH_CHALLENGE", "ERROR")
NOTHING: Final = Frame("", {})
NO_MORE: Final[Mapping[str, Any]] = MappingProxyType({})
_NO_ANSWERS: Final = {*HELLO_ANSWERS, *LINK_ANSWERS, "HEARTBEAT", ""} - {"ERROR"}
_HELLOS_AT_ONCE: Final = 3
_AGAIN: Final = 4


@dataclass(slots=True)
class World:
    """What all rules of a run share."""

    url: str
    session: aiohttp.ClientSession
    cast: Cast
    manners: Manners = field(default_factory=Manners)
    peer_url: str = ""
    throw_away: bool = False
    standing: dict[str, Peer] = field(default_factory=dict)
    features: frozenset[str] = frozenset()
    server_id: str = ""
    mute: bool = False
    """It does not answer hellos."""
    spoke: bool = False
    """It said more than that it takes a hello."""
    no_users: str = ""
    """Why it takes no user of ours, "" where it does."""
    no_servers: str = ""
    deaf: str = ""
    """What it left without an answer when it was asked first, "" where it was not asked."""
    hellos: Pace = field(init=False)

    @property
    def secure(self) -> bool:
        """Over TLS."""
        return self.url.startswith("wss:")

    def notice(self, frame: Frame) -> None:
        """It said this: whoever answers anything may answer more."""
        if frame.type not in _NO_ANSWERS:
            self.spoke = True

    def in_vain(self) -> str:
        """Why it is no use to wait for its answers, "" where it is."""
        return "" if self.spoke else self.deaf

    def __post_init__(self) -> None:
        self.hellos = Pace(self.manners.hellos_per_s, _HELLOS_AT_ONCE)


class Refused(Breach):
    """The server answered with an ERROR."""

    def __init__(self, error: Frame, what: str = "the hello") -> None:
        super().__init__(f"{what} was refused: {error.gist()}")
        self.code = str(error.get("code"))
        self.detail = str(error.get("detail"))


async def turned_away(hello: Awaitable[Peer], *codes: str) -> Refused:
    """The ERROR that must answer this hello, with one of these codes where any is given."""
    try:
        await hello
    except Refused as refusal:
        if codes and refusal.code not in codes:
            raise Breach(f"the ERROR says {refusal.code} in place of {codes[0]}") from refusal
        return refusal
    raise Breach("the hello was taken")


class Probe:
    """For one rule; its links are closed when the rule was tried, those of standing people not."""

    def __init__(self, world: World, transcript: Transcript) -> None:
        self.world = world
        self.transcript = transcript
        self._links: list[Link] = []
        self._met: set[str] = set()

    # --- connections ----------------------------------------------------------------------------

    async def connect(self, name: str = "somebody", url: str = "", **options: Any) -> Link:
        """A WebSocket on which nothing was said yet. Raises Breach where none is to be had."""
        link = await self._connected(name, url or self.world.url, **options)
        self._links.append(link)
        return link

    async def _connected(self, name: str, url: str, **options: Any) -> Link:
        await self.world.hellos.turn()
        try:
            socket = await self.world.session.ws_connect(
                url,
                max_msg_size=MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE_S),
                **options,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Breach(f"no WebSocket at {url}: {why_not(url, fault)}") from fault
        world = self.world
        ears = (world.notice, world.in_vain) if url == world.url else ()
        return Link(name, socket, self.transcript, world.manners, *ears)

    async def close(self) -> None:
        """Close what this rule opened."""
        for link in self._links:
            await link.close()

    def check_may_prove(self) -> None:
        """Raises Unjudged over TLS, where a proof covers what we cannot read."""
        if self.world.secure:
            raise Unjudged("over TLS a proof covers the exporter value, which this kit cannot read")

    # --- users ----------------------------------------------------------------------------------

    async def identity(self, name: str) -> Identity:
        """Who is called that in this run."""
        return await self.world.cast.one(name)

    async def user(
        self, name: str, *, features: Sequence[str] = (), url: str = "", **hello: Any
    ) -> Peer:
        """Said hello, and was let in: with a proof where `features` has `link-auth/1`."""
        who = await self.identity(name)
        for _ in range(_AGAIN):
            link = await self.connect(name, url)
            with contextlib.suppress(Refused):
                return await self.attached(link, who, features=features, **hello)
            await link.close()  # their former link may not be gone yet
        link = await self.connect(name, url)
        return await self.attached(link, who, features=features, **hello)

    async def attached(
        self,
        link: Link,
        who: Identity,
        *,
        features: Sequence[str] = (),
        proof: Mapping[str, Any] = NO_MORE,
        **hello: Any,
    ) -> Peer:
        """Say hello on this link; `proof`: what AUTH_PROOF says besides. Raises Refused, or Breach
        where no answer can be read."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        payload = user_hello(who, features=features, nonce=nonce, **hello)
        await say_first(link, who, "USER_HELLO", payload)
        answer, before = await self._answer_to_user(link)
        if answer.type == "AUTH_CHALLENGE":
            answer = await proven(link, who, answer, features, user=True, more=proof)
        if answer.type == "ERROR":
            raise Refused(answer)
        return Peer(who, link, answer, _shared(features, answer), before)

    async def _answer_to_user(self, link: Link) -> tuple[Frame, tuple[Frame, ...]]:
        """Some answer a hello by a flood of USER_ADVERTISE, some not at all (section 13)."""
        world = self.world
        within_s = world.manners.quiet_s if world.mute else world.manners.patience_s
        try:
            return await link.reaches(*HELLO_ANSWERS, within_s=within_s)
        except Breach:
            if link.close_code is not None:
                raise
        world.mute = True
        flood = tuple(link.heard)
        link.heard.clear()
        return flood[0] if flood else NOTHING, flood

    async def alice(self) -> Peer:
        """A plain v1.3 user who stays for the whole run."""
        return await self._standing("alice")

    async def bob(self) -> Peer:
        """Another one."""
        return await self._standing("bob")

    # --- servers --------------------------------------------------------------------------------

    async def server(
        self,
        name: str,
        kind: str = "SERVER_HELLO_JOIN",
        *,
        features: Sequence[str] = (),
        proof: Mapping[str, Any] = NO_MORE,
    ) -> Peer:
        """A server that was let in."""
        who = await self.identity(name)
        for _ in range(_AGAIN):
            link = await self.connect(name)
            with contextlib.suppress(Refused):
                return await self.linked(link, who, kind, features=features, proof=proof)
            await link.close()
        link = await self.connect(name)
        return await self.linked(link, who, kind, features=features, proof=proof)

    async def linked(
        self,
        link: Link,
        who: Identity,
        kind: str = "SERVER_HELLO_JOIN",
        *,
        features: Sequence[str] = (),
        proof: Mapping[str, Any] = NO_MORE,
        **hello: Any,
    ) -> Peer:
        """Say the hello of a server on this link. Raises as `attached`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        payload = server_hello(who, features=features, nonce=nonce, **hello)
        to = place(self.world.url) if kind.endswith("JOIN") else "*"
        await say_first(link, who, kind, payload, to=to)
        patience_s = self.world.manners.patience_s
        answer, before = await link.reaches(*LINK_ANSWERS, within_s=patience_s)
        if answer.type == "AUTH_CHALLENGE":
            answer = await proven(link, who, answer, features, user=False, more=proof)
        if answer.type == "ERROR":
            raise Refused(answer)
        return Peer(who, link, answer, _shared(features, answer), before)

    async def east(self) -> Peer:
        """A plain v1.3 server that stays for the whole run."""
        return await self._standing("east", server=True)

    async def west(self) -> Peer:
        """Another one."""
        return await self._standing("west", server=True)

    # --- both -----------------------------------------------------------------------------------

    async def _standing(self, name: str, *, server: bool = False) -> Peer:
        """They come when they are first needed, and again where their link was closed."""
        standing = self.world.standing
        if name in self._met:
            return standing[name]
        peer = standing.get(name)
        if peer is None or peer.link.close_code is not None:
            peer = await (self.server(name) if server else self.user(name))
            self._links.remove(peer.link)  # it is not closed with this rule
            standing[name] = peer
        peer.link.begin(self.transcript)
        self._met.add(name)
        return peer


def _shared(features: Sequence[str], answer: Frame) -> tuple[str, ...]:
    """What both ends announced."""
    theirs = answer.get("features")
    return tuple(each for each in features if isinstance(theirs, list) and each in theirs)


async def say_first(
    link: Link, who: Identity, kind: str, payload: dict[str, Any], *, to: str = "*", **more: Any
) -> None:
    """A first frame."""
    sig = who.key.sign(canonical(payload))
    members = {"type": kind, "from": who.id, "to": to, "ts": now_ms(), "payload": payload}
    await link.say({**members, "sig": sig, **more})


async def proven(
    link: Link,
    who: Identity,
    challenge: Frame,
    features: Sequence[str],
    *,
    user: bool,
    more: Mapping[str, Any] = NO_MORE,
) -> Frame:
    """Answer a challenge (section 11), `more` with it; what comes then."""
    if "link-auth/1" not in features:
        raise Unjudged("it wants AUTH_PROOF of who did not announce link-auth/1")
    payload = {**proof_payload(who, challenge, features, user=user), **more}
    to = str(challenge.get("server_id") or challenge.members.get("from", ""))
    await say_first(link, who, "AUTH_PROOF", payload, to=to)
    return await link.hears("ACK", "SERVER_WELCOME", "ERROR")


def proof_payload(
    who: Identity, challenge: Frame, features: Sequence[str], *, user: bool
) -> dict[str, Any]:
    """AUTH_PROOF, with `attach` for a user."""
    server_id = str(challenge.get("server_id") or challenge.members.get("from", ""))
    try:
        nonce = unb64(str(challenge.get("nonce")))
    except ValueError as fault:
        raise Breach("AUTH_CHALLENGE: its nonce is no base64url") from fault
    proof = who.key.sign(preimages.link_auth(who.id, server_id, nonce))
    if not user:
        return {"proof": proof}
    ts = now_ms()
    attach = who.key.sign(preimages.attach(who.id, server_id, ts, features))
    return {"proof": proof, "attach": {"ts": ts, "sig": attach}}
