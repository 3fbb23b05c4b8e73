"""Many users on one thread: raw sockets that hardly look at what they read.

A thousand users get eight mebibytes each; a client library would be the test's bottleneck.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from socp.bench.raw_link import masked, shake_hands
from socp.client.clock import now_ms
from socp.crypto import content_sig
from socp.crypto.keys import PrivateKey
from socp.wire import base64url
from tests.keys import COUNT, test_key

CHUNK = 1 << 20
HEAD = 64  # bytes of a frame that tell its type
SEND_S = 30


@dataclass(eq=False)
class User:
    """One user: a blocking socket, and how many frames of each kind came."""

    id: str
    key: PrivateKey
    socket: socket.socket
    counts: dict[bytes, int] = field(default_factory=dict)
    _tail: bytes = b""  # an incomplete head
    _rest: int = 0  # bytes of the current frame still to come

    @classmethod
    def attach(cls, port: int, n: int) -> User:
        """Connect, and say hello as a v1.3 client does. The answer is not awaited."""
        found = socket.create_connection(("127.0.0.1", port))
        shake_hands(found)
        user = cls(str(uuid.uuid4()), test_key(n % COUNT), found)
        text = user.key.public.text
        user.say("USER_HELLO", "*", {"client": "crowd", "pubkey": text, "enc_pubkey": text})
        return user

    def say(self, kind: str, to: str, payload: dict[str, str], ts: int | None = None) -> None:
        members = {"type": kind, "from": self.id, "to": to, "ts": ts or now_ms()}
        data = json.dumps({**members, "payload": payload, "sig": ""}).encode()
        self.socket.settimeout(SEND_S)
        self.socket.sendall(masked(data))

    def post(self, size: int) -> None:
        """One public message of `size` bytes that only its members could read."""
        ts, ciphertext = now_ms(), bytes([ord("x")]) * size
        sig = self.key.sign(content_sig.public_preimage(ciphertext, self.id, ts))
        payload = {
            "ciphertext": base64url.encode(ciphertext),
            "sender_pub": self.key.public.text,
            "content_sig": base64url.encode(sig),
        }
        self.say("MSG_PUBLIC_CHANNEL", "public", payload, ts)

    def take(self, view: memoryview) -> None:
        """Count the frames in what was read. From a server they are not masked."""
        at, end = 0, len(view)
        if self._tail:
            view = memoryview(self._tail + bytes(view))
            self._tail, end = b"", len(view)
        while at < end:
            step = min(self._rest, end - at)
            at, self._rest = at + step, self._rest - step
            if self._rest or at == end:
                break
            size = data_begins(view, at, end)
            if size is None:
                self._tail = bytes(view[at:])
                break
            begins, length = size
            kind = bytes(view[begins : begins + HEAD]).split(b'"', 4)
            if len(kind) > 3:
                self.counts[kind[3]] = self.counts.get(kind[3], 0) + 1
            at, self._rest = begins, length


def data_begins(view: memoryview, at: int, end: int) -> tuple[int, int] | None:
    """Where the data of the frame at `at` begins, and its length; None: too little to tell."""
    if end - at < 10:
        return None
    length = view[at + 1]
    begins = at + 2
    if length == 126:
        length, begins = struct.unpack_from("!H", view, at + 2)[0], at + 4
    elif length == 127:
        length, begins = struct.unpack_from("!Q", view, at + 2)[0], at + 10
    return (begins, length) if end - begins >= min(length, HEAD) else None


class Crowd:
    """Users who read."""

    def __init__(self) -> None:
        self.users: list[User] = []
        self._selector = selectors.DefaultSelector()
        self._buffer = memoryview(bytearray(CHUNK))

    def add(self, user: User) -> None:
        self.users.append(user)
        self._selector.register(user.socket, selectors.EVENT_READ, user)

    def read_until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Read whatever comes until it holds; a failure when it does not within the time."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "still not so"
            for key, _ in self._selector.select(0.05):
                user: User = key.data
                count = user.socket.recv_into(self._buffer)
                assert count, f"{user.id} was cut off"
                user.take(self._buffer[:count])

    def got(self, kind: bytes) -> int:
        """How many frames of this kind came, of who got the fewest."""
        return min(user.counts.get(kind, 0) for user in self.users)

    def close(self) -> None:
        self._selector.close()
        for user in self.users:
            user.socket.close()
