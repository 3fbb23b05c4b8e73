"""Somebody who stands at the server: a user who said hello, or a server that is linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from socp.conform import preimages
from socp.conform.canonical import b64, canonical, unb64
from socp.conform.cast import Identity
from socp.conform.frames import Frame, now_ms
from socp.conform.keys import NotAKey, PublicKey, read_key
from socp.conform.link import Link
from socp.conform.verdicts import Breach, Unjudged

CLIENT: Final = "socp conform"


@dataclass(slots=True)
class Peer:
    """Who they are, their link, and what the answer to their hello said of the server."""

    who: Identity
    link: Link
    answer: Frame
    features: tuple[str, ...] = ()
    before: tuple[Frame, ...] = ()
    """What came before that answer."""
    _key: PublicKey | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.who.id

    @property
    def server_id(self) -> str:
        """The other end's id, by its answer."""
        return str(self.answer.get("server_id") or self.answer.members.get("from", ""))

    @property
    def server_key(self) -> PublicKey:
        """The other end's key. Raises Unjudged where its answer has none that can be read."""
        if self._key is None:
            try:
                self._key = read_key(self.answer.get("pubkey") or self.answer.get("server_pub"))
            except NotAKey as fault:
                raise Unjudged(f"its key cannot be read from its answer: {fault}") from fault
        return self._key

    def frame(
        self, kind: str, payload: dict[str, Any], *, to: str = "*", **changed: Any
    ) -> dict[str, Any]:
        """A frame of theirs, signed; `changed` are members of the envelope that shall be others.

        With `bind/1` the payload gets its `bind`, unless it has one.
        """
        ts = changed.get("ts", now_ms())
        if "bind/1" in self.features and "bind" not in payload:
            payload = {**payload, "bind": {"type": kind, "from": self.id, "to": to, "ts": ts}}
        signed = self.who.key.sign(canonical(payload)) if "sig" not in changed else ""
        envelope = {"type": kind, "from": self.id, "to": to, "ts": ts, "payload": payload}
        return {**envelope, "sig": signed, **changed}

    async def say(
        self, kind: str, payload: dict[str, Any], *, to: str = "*", **changed: Any
    ) -> dict[str, Any]:
        """Say it; the frame as it was sent."""
        members = self.frame(kind, payload, to=to, **changed)
        await self.link.say(members)
        if ref := _ref_of(members):
            self.link.awaits.add(ref)
        return members

    async def says_wrong(
        self, kind: str, payload: dict[str, Any], *, to: str = "*", **changed: Any
    ) -> dict[str, Any]:
        """The same for what must be refused: such frames are said at a slow pace."""
        await self.link.fault_turn()
        return await self.say(kind, payload, to=to, **changed)


def _ref_of(members: dict[str, Any]) -> str:
    """What ACK and ERROR will call this frame, "" where it has no name."""
    payload = members["payload"]
    if file_id := payload.get("file_id"):
        return str(file_id)
    try:
        raw = unb64(payload["ciphertext"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return ""
    author = payload.get("sender", members["from"])
    reader = payload.get("user_id", members["to"])
    return preimages.msg_ref(raw, author, reader, members["ts"])


@dataclass(frozen=True, slots=True)
class Message:
    """A direct message that was, or will be, sent."""

    author: Identity
    reader: str
    ts: int
    raw: bytes
    payload: dict[str, Any]
    ref: str

    def is_delivered_by(self, frame: Frame) -> bool:
        """Whether this frame carries it."""
        return bool(frame.get("ciphertext") == self.payload["ciphertext"])


def message(
    author: Identity,
    reader: str,
    reader_key: PublicKey,
    text: str = "a line of the conformance kit",
    *,
    ts: int | None = None,
) -> Message:
    """One OAEP block, signed as section 3 has it."""
    at = now_ms() if ts is None else ts
    raw = reader_key.sealed(text.encode())
    payload = {
        "ciphertext": b64(raw),
        "sender_pub": author.key.public.text,
        "content_sig": author.key.sign(preimages.direct(raw, author.id, reader, at)),
    }
    ref = preimages.msg_ref(raw, author.id, reader, at)
    return Message(author, reader, at, raw, payload, ref)


def not_delivered(reader: Peer, said: Message) -> None:
    """Raises Breach where this came to them."""
    if reader.link.has("USER_DELIVER", where=said.is_delivered_by):
        raise Breach("it was delivered")


def user_hello(
    who: Identity, *, features: Sequence[str] = (), nonce: bytes = b"", **more: Any
) -> dict[str, Any]:
    """The payload of USER_HELLO."""
    payload: dict[str, Any] = {
        "client": CLIENT,
        "pubkey": who.key.public.text,
        "enc_pubkey": who.key.public.text,
    }
    return {**payload, **_announced(features, nonce), **more}


def server_hello(
    who: Identity, *, features: Sequence[str] = (), nonce: bytes = b"", **more: Any
) -> dict[str, Any]:
    """The payload of SERVER_HELLO_JOIN, SERVER_HELLO_LINK and SERVER_ANNOUNCE. Port 9 discards:
    whoever dials back finds nobody."""
    payload: dict[str, Any] = {"host": "127.0.0.1", "port": 9, "pubkey": who.key.public.text}
    return {**payload, **_announced(features, nonce), **more}


def _announced(features: Sequence[str], nonce: bytes) -> dict[str, Any]:
    if not features:
        return {}
    proves = nonce and "link-auth/1" in features
    return {"features": list(features), **({"auth_nonce": b64(nonce)} if proves else {})}
