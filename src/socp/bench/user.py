"""Users of the load: how they say hello, each way a link may be, and what they say, made and signed
before anybody looks at a clock."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Final

from socp.bench import key_pool
from socp.bench.load_link import GONE, PATIENCE_S, LoadLink, connect, framed, ignored
from socp.bench.trouble import CannotMeasure
from socp.client.clock import now_ms
from socp.crypto import content_sig, fast_sig, signing
from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import RsaPrivateKey, RsaSuite
from socp.wire import base64url, features, limits
from socp.wire.bind import bound
from socp.wire.envelope import encode
from socp.wire.payloads import (
    AuthProof,
    MsgDirect,
    MsgPublicChannel,
    Payload,
    UserHello,
    members_bytes,
)

KEYS: Final = 8
TEXTS: Final = 16
"""Different payloads of one v1.3 user: the same again has its signature, which covers neither time
nor addressee."""
ATTACHED: Final = (b"ACK", b"USER_WELCOME", b"USER_ADVERTISE")
"""What servers answer a hello with (section 13)."""
BLOCK_BYTES: Final = limits.RSA_BYTES
AT_ONCE: Final = 32  # who say hello


class Kind(Enum):
    """What a user's client can; the values are what it announces. No tuples: of an empty one Python
    3.11.2 makes `object()`."""

    PLAIN = frozenset[str]()
    """v1.3: hears of everybody, gets RSA signatures."""
    QUIET = frozenset({features.PRESENCE})
    """v1.3 but that it hears of nobody before it asks."""
    FAST = frozenset({features.LINK_AUTH, features.BIND, features.PRESENCE, features.FAST_SIG})
    KEEPING = FAST | {features.MAILBOX}
    """As our clients are."""

    @property
    def announced(self) -> tuple[str, ...]:
        """In one order."""
        return tuple(sorted(self.value))


@dataclass(eq=False)
class User:
    """Somebody attached."""

    key: RsaPrivateKey
    kind: Kind
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    session: OwnSession | None = None
    said_ms: int = 0
    """The ts of the last message: one a millisecond, so that none is taken for another."""
    _link: LoadLink | None = None

    @property
    def link(self) -> LoadLink:
        """To the server."""
        assert self._link is not None
        return self._link

    async def join(self, url: str) -> None:
        """Say hello, with a proof where the kind has one; return when the server said ACK. Raises
        CannotMeasure where it does not."""
        answers: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()
        self._link = await connect(url, lambda _, kind, frame: answers.put_nowait((kind, frame)))
        self.link.send(self._hello())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._greeted(answers)
        except TimeoutError:
            raise CannotMeasure("the server does not answer a USER_HELLO") from None
        self.link.heard = ignored

    async def _greeted(self, answers: asyncio.Queue[tuple[bytes, bytes]]) -> None:
        while True:
            kind, frame = await answers.get()
            if kind == b"AUTH_CHALLENGE":
                said = json.loads(frame)["payload"]
                self.link.send(self._proof(said["server_id"], base64url.decode(said["nonce"])))
            elif kind in ATTACHED:
                self._check(json.loads(frame)["payload"].get("features", ()))
                return
            elif kind == b"ERROR":
                raise CannotMeasure(f"the server refuses a user: {frame[:400]!r}")
            elif kind == GONE:
                code = self.link.close_code
                raise CannotMeasure(f"the server closed the link of one who said hello ({code})")

    def _check(self, theirs: Sequence[str]) -> None:
        wanted = self.kind.announced if features.LINK_AUTH in self.kind.value else ()
        lacking = [each for each in wanted if each not in theirs]
        if lacking:
            raise CannotMeasure(f"the server has no {', '.join(lacking)}")

    def _hello(self) -> bytes:
        nonce = base64url.encode(bytes(32)) if features.LINK_AUTH in self.kind.value else ""
        payload, sig = _hello(self.key, self.kind, nonce)
        return framed(encode(UserHello.TYPE, self.id, "*", now_ms(), payload, sig))

    def _proof(self, server_id: str, nonce: bytes) -> bytes:
        """Without `attach`: nobody asks where these are."""
        self.session = fast_sig.made(RsaSuite(), self.key, self.id, now_ms())
        proof = AuthProof(
            proof=signing.sign(self.key, signing.link_auth(self.id, server_id, nonce)),
            session=self.session.stated,
        )
        text = members_bytes(proof)
        sig = signing.sign(self.key, text)
        return framed(encode(AuthProof.TYPE, self.id, server_id, now_ms(), text, sig))

    # --- what they say --------------------------------------------------------------------------

    def directs(self, reader: str, count: int) -> list[bytes]:
        """So many direct messages, sealed for nobody: a server cannot tell."""
        return [self._direct(reader, number) for number in range(count)]

    def _direct(self, reader: str, number: int) -> bytes:
        ts, kind = self.next_ts(), MsgDirect.TYPE
        if self.session is None:
            payload, sig = _text(self.key, number % TEXTS)
            return framed(encode(kind, self.id, reader, ts, payload, sig))
        said = bound(_said(self.key), type=kind, from_=self.id, to=reader, ts=ts)
        payload = members_bytes(said)
        return framed(encode(kind, self.id, reader, ts, payload, self.session.sign(payload)))

    def post(self, size: int) -> bytes:
        """A post with so many bytes of ciphertext. Its content_sig, which servers look at, costs
        1.3 ms."""
        ts, sealed = self.next_ts(), os.urandom(size)
        post = MsgPublicChannel(
            ciphertext=base64url.encode(sealed),
            sender_pub=self.key.public.text,
            content_sig=content_sig.sign_public(self.key, sealed, self.id, ts),
        )
        payload = members_bytes(post)
        sig = self.session.sign(payload) if self.session else ""
        return framed(encode(MsgPublicChannel.TYPE, self.id, "public", ts, payload, sig))

    def framed(self, payload: Payload, to: str) -> bytes:
        """Any other frame of a link with `bind/1`."""
        kind, ts = type(payload).TYPE, self.next_ts()
        text = members_bytes(bound(payload, type=kind, from_=self.id, to=to, ts=ts))
        assert self.session is not None
        return framed(encode(kind, self.id, to, ts, text, self.session.sign(text)))

    def next_ts(self) -> int:
        """For what is said now."""
        self.said_ms = max(self.said_ms + 1, now_ms())
        return self.said_ms


async def joined(url: str, kind: Kind, count: int) -> list[User]:
    """So many users who are attached."""
    pool = key_pool.keys(KEYS)
    users = [User(key, kind) for key, _ in zip(itertools.cycle(pool), range(count), strict=False)]
    await join_all(users, url)
    return users


async def join_all(users: Sequence[User], url: str) -> None:
    """A few at a time, after one alone: where nobody is there, nobody else need ask."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def join(user: User) -> None:
        async with turns:
            await user.join(url)

    try:
        for first in users[:1]:
            await join(first)
        async with asyncio.TaskGroup() as tasks:
            for user in users[1:]:
                tasks.create_task(join(user))
    except* CannotMeasure as faults:
        raise faults.exceptions[0] from None
    except* OSError as faults:
        raise CannotMeasure(f"no link to the server is to be had: {faults.exceptions[0]}") from None


def leave(users: Sequence[User]) -> None:
    """All at once, and without a word."""
    for user in users:
        user.link.transport.abort()


class Allowance:
    """What a server takes from each user: 120 frames at once and 30 a second (section 12)."""

    _SAFE: Final = 0.9

    def __init__(self) -> None:
        self._level = float(limits.USER_FRAMES_BURST)
        self._at_s = time.monotonic()

    async def take(self, count: int) -> None:
        """Return when each of them may say so much at once."""
        if count > limits.USER_FRAMES_BURST * self._SAFE:
            raise ValueError(f"nobody may say {count} things at once")
        self._fill()
        missing = count / self._SAFE - self._level
        if missing > 0:
            await asyncio.sleep(missing / (limits.USER_FRAMES_PER_S * self._SAFE))
            self._fill()
        self._level -= count

    def _fill(self) -> None:
        now = time.monotonic()
        gained = (now - self._at_s) * limits.USER_FRAMES_PER_S * self._SAFE
        self._level = min(self._level + gained, limits.USER_FRAMES_BURST)
        self._at_s = now


@cache
def _hello(key: RsaPrivateKey, kind: Kind, nonce: str) -> tuple[bytes, str]:
    hello = UserHello(
        client="socp bench", pubkey=key.public.text, features=kind.announced, auth_nonce=nonce
    )
    text = members_bytes(hello)
    return text, signing.sign(key, text)


@cache
def _text(key: RsaPrivateKey, _number: int) -> tuple[bytes, str]:
    text = members_bytes(_said(key))
    return text, signing.sign(key, text)


def _said(key: RsaPrivateKey) -> MsgDirect:
    return MsgDirect(
        ciphertext=base64url.encode(os.urandom(BLOCK_BYTES)),
        sender_pub=key.public.text,
        content_sig=base64url.encode(os.urandom(limits.RSA_BYTES)),
    )
