"""A user on a bare socket: fast to make by the thousand, and free to behave as badly as need be."""

from __future__ import annotations

import json
import socket
import struct
import uuid
from dataclasses import dataclass, field
from typing import Final

from socp.client.clock import now_ms
from socp.crypto import content_sig
from socp.crypto.keys import PrivateKey
from socp.wire import base64url

WAIT_S: Final = 60
HANDSHAKE: Final = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Refused(OSError):
    """The server answered with an ERROR of this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


@dataclass(eq=False)
class RawLink:
    """A WebSocket, and the user who says hello on it."""

    socket: socket.socket
    key: PrivateKey
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _unread: bytes = b""

    @classmethod
    def open(cls, port: int, key: PrivateKey, *, receive_bytes: int = 0) -> RawLink:
        """Connect and shake hands; OSError where the server does not want another.

        `receive_bytes`: how much the system may take for a user who does not read.
        """
        found = socket.socket()
        if receive_bytes:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        found.settimeout(WAIT_S)
        found.connect(("127.0.0.1", port))
        shake_hands(found)
        return cls(found, key)

    def hello(self, *features: str) -> None:
        text = self.key.public.text
        self.say(
            "USER_HELLO",
            "*",
            {"client": "bench", "pubkey": text, "enc_pubkey": text, "features": features},
        )

    def say(self, kind: str, to: str, payload: object, *, ts: int = 0) -> None:
        frame = {"type": kind, "from": self.id, "to": to, "ts": ts or now_ms(), "payload": payload}
        self.socket.sendall(masked(json.dumps(frame).encode()))

    def message(self, to: str, size: int) -> None:
        """A direct message of `size` bytes, of which a server looks at no more than the outside."""
        noise = base64url.encode(uuid.uuid4().bytes * (1 + size // 16))[: size // 4 * 4]
        said = {"ciphertext": noise, "sender_pub": self.key.public.text}
        self.say("MSG_DIRECT", to, {**said, "content_sig": base64url.encode(bytes(512))})

    def post(self, size: int) -> None:
        """A public post, with the signature that servers ask for."""
        ts, ciphertext = now_ms(), uuid.uuid4().bytes * (1 + size // 16)
        sig = self.key.sign(content_sig.public_preimage(ciphertext, self.id, ts))
        payload = {
            "ciphertext": base64url.encode(ciphertext),
            "sender_pub": self.key.public.text,
            "content_sig": base64url.encode(sig),
        }
        self.say("MSG_PUBLIC_CHANNEL", "public", payload, ts=ts)

    def next(self) -> tuple[str, str]:
        """The next frame's type, and the code of a close or an ERROR. A ping is answered."""
        head = self._take(2)
        length = head[1] & 0x7F
        if length > 125:
            length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
        data = self._take(length)
        if head[0] & 0xF == 8:
            return "close", str(int.from_bytes(data[:2], "big"))
        if head[0] & 0xF == 9:
            self.socket.sendall(bytes((0x8A, 0x80 | len(data))) + bytes(4) + data)
        if head[0] & 0xF != 1:
            return "control", ""
        frame = json.loads(data)
        return str(frame["type"]), str(frame.get("payload", {}).get("code", ""))

    def wait_for(self, kind: str) -> None:
        """Read until a frame of this type. Raises Refused where an ERROR comes first, and
        ConnectionError where the link ends."""
        while True:
            found, code = self.next()
            if found == kind:
                return
            if found == "close":
                raise ConnectionError(f"closed with {code}")
            if found == "ERROR":
                raise Refused(code)

    def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            got = self.socket.recv(1 << 16)
            if not got:
                raise ConnectionError("cut off")
            self._unread += got
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken


def shake_hands(found: socket.socket) -> None:
    """Make a WebSocket of this connection. Raises ConnectionError where the server does not."""
    found.sendall(HANDSHAKE)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        got = found.recv(1)
        if not got:
            raise ConnectionError("refused")
        answer += got
    if b" 101 " not in answer:
        raise ConnectionError(answer.decode(errors="replace"))


def masked(data: bytes, *, announced: int = 0) -> bytes:
    """A text frame under the mask 0000; `announced`: the length it claims, its own else."""
    head = struct.pack("!BBQ", 0x81, 0x80 | 127, announced or len(data))
    return head + bytes(4) + data
