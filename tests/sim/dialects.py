"""Other implementations as data: what each form of section 13's table changes in a plain v1.3 peer.

A dialect differs from the plain peer in one point. `Foreign` speaks it, as a client or as a server.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from socp.crypto.keys import PrivateKey, RsaPrivateKey
from socp.sim.network import Network
from socp.sim.stranger import Stranger
from socp.wire import base64url
from socp.wire.envelope import Envelope, decode
from socp.wire.ids import EVERYONE

HELLO_REPLIES: Final = ("ack", "nothing", "flood", "user_welcome", "server_pub", "challenge")


@dataclass(frozen=True)
class Dialect:
    """`point` is a row of the table in docs/implementers.md, `form` one way to do it."""

    point: str
    form: str
    key: str = "der"  # der, padded, pem64, pem
    canonical: str = "compact"  # compact, utf8
    salt: int = 478
    content_sig: str = "raw"  # raw, text, raw-digested, text-digested, json
    list_request: str = "LIST_REQUEST"
    list_reply: str = "USER_LIST"
    list_member: str = "users"
    key_place: str = "meta"  # of ADVERTISE: meta, payload, none
    key_request: str = "PUBKEY_REQUEST"
    hello_reply: str = "ack"
    welcome: str = "servers"  # servers, clients, snapshot
    first: str = "SERVER_HELLO_JOIN"
    dials_back: bool = False
    share: str = "wrapped_public_channel_key"
    chunk_bytes: int = 400
    file_prefix: str = ""
    orig_ts: str = "envelope"  # or the payload member's name, or lost
    heartbeats: bool = True
    sig: str = "real"  # of a user's frames: real, empty
    id: bool = False  # each envelope has one, by which it is told from others

    @property
    def is_plain(self) -> bool:
        """Whether it does this point as the plain peer does."""
        return replace(self, point="", form="") == Dialect("", "")

    def __str__(self) -> str:
        return f"{self.point}: {self.form}"


DIALECTS: Final = (
    Dialect("keys", "base64url of DER"),
    Dialect("keys", "padded base64url of DER", key="padded"),
    Dialect("keys", "base64 of PEM", key="pem64"),
    Dialect("keys", "PEM text", key="pem"),
    Dialect("canonical JSON", "escapes, compact"),
    Dialect("canonical JSON", "raw UTF-8", canonical="utf8"),
    Dialect("PSS", "the largest salt"),
    Dialect("PSS", "a salt of 32 bytes", salt=32),
    *(
        Dialect("content_sig, direct", form, content_sig=form)
        for form in ("raw", "text", "raw-digested", "text-digested", "json")
    ),
    *(
        Dialect("list request", name, list_request=name)
        for name in (
            "LIST_REQUEST",
            "USER_LIST_REQ",
            "USER_LIST_REQUEST",
            "CMD_LIST",
            "LIST",
            "CTRL_LIST",
            "WHO",
        )
    ),
    Dialect(
        "list request", "LIST_RESPONSE", list_reply="LIST_RESPONSE", list_member="online_users"
    ),
    Dialect("key look-up", "ADVERTISE has it in meta"),
    Dialect("key look-up", "ADVERTISE has it beside meta", key_place="payload"),
    Dialect("key look-up", "ADVERTISE has none", key_place="none"),
    Dialect("key look-up", "GET_PUBKEY", key_request="GET_PUBKEY"),
    *(Dialect("reply to USER_HELLO", form, hello_reply=form) for form in HELLO_REPLIES),
    Dialect("WELCOME", "servers apart"),
    Dialect("WELCOME", "servers under clients", welcome="clients"),
    Dialect("WELCOME", "snapshot.user_locations", welcome="snapshot"),
    Dialect("link hello", "the same socket"),
    Dialect("link hello", "dials back", dials_back=True),
    Dialect("link hello", "LINK first", first="SERVER_HELLO_LINK"),
    Dialect("link hello", "PEER_HELLO_LINK first", first="PEER_HELLO_LINK"),
    Dialect("link hello", "ANNOUNCE first", first="SERVER_ANNOUNCE"),
    Dialect("key share", "wrapped_public_channel_key"),
    Dialect("key share", "wrapped", share="wrapped"),
    *(Dialect("files", f"{n} bytes a chunk", chunk_bytes=n) for n in (400, 446, 190)),
    *(Dialect("files", f"{p}FILE_*", file_prefix=p) for p in ("USER_", "SERVER_")),
    Dialect("original ts", "in the envelope"),
    *(
        Dialect("original ts", f"payload.{name}", orig_ts=name)
        for name in ("orig_ts", "msg_ts", "cts", "original_ts")
    ),
    Dialect("heartbeat", "every 15 s"),
    Dialect("heartbeat", "none", heartbeats=False),
    Dialect("user frames' sig", "real"),
    Dialect("user frames' sig", "empty", sig="empty"),
    Dialect("dedup key", "of what is said"),
    Dialect("dedup key", "the envelope's id", id=True),
)


class Foreign(Stranger):
    """A peer that speaks a dialect, with a real RSA key."""

    def __init__(self, name: str, key: RsaPrivateKey, network: Network, dialect: Dialect) -> None:
        super().__init__(name, key, network)
        self.dialect = dialect
        self._rsa: Any = serialization.load_der_private_key(
            key.to_bytes(), None, unsafe_skip_rsa_key_validation=True
        )
        self._said = 0

    # --- forms ----------------------------------------------------------------------------------

    @property
    def key_text(self) -> str:
        """The own public key, as this dialect writes keys."""
        return key_in(self.dialect.key, self.key)

    def canonical(self, members: Mapping[str, object]) -> bytes:
        raw = self.dialect.canonical == "utf8"
        text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=not raw)
        return text.encode()

    def sign(self, data: bytes) -> str:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), self.dialect.salt)
        return base64url.encode(self._rsa.sign(data, pss, hashes.SHA256()))

    def content_sig(self, sealed: bytes, to: str, ts: int) -> str:
        """Over a direct message of ours."""
        form, text = self.dialect.content_sig, base64url.encode(sealed)
        if form == "json":
            said = {"ciphertext": text, "from": self.id, "to": to, "ts": ts}
            return self.sign(self.canonical(said))
        start = text.encode() if form.startswith("text") else sealed
        data = start + f"{self.id}{to}{ts}".encode()
        return self.sign(hashlib.sha256(data).digest() if form.endswith("digested") else data)

    # --- frames ---------------------------------------------------------------------------------

    def says(
        self,
        kind: str,
        members: Mapping[str, object],
        *,
        to: str = EVERYONE,
        from_: str = "",
        ts: int = 0,
        sig: str | None = None,
    ) -> Envelope:
        """A frame as this dialect writes it, signed by it unless `sig` is given."""
        signed = self.sign(self.canonical(members)) if sig is None else sig
        frame: dict[str, object] = {
            "type": kind,
            "from": from_ or self.id,
            "to": to,
            "ts": ts or self._network.agenda.wall,
            "payload": members,
            "sig": signed,
        }
        if self.dialect.id:
            self._said += 1
            frame["id"] = f"{self.id}-{self._said}"
        raw = self.dialect.canonical != "utf8"
        data = json.dumps(frame, ensure_ascii=raw).encode()
        self.raw(data)
        return decode(data)

    def says_as_user(self, kind: str, members: Mapping[str, object], **more: Any) -> Envelope:
        return self.says(kind, members, sig="" if self.dialect.sig == "empty" else None, **more)

    def message(self, text: str, reader: PrivateKey, to: str, ts: int) -> dict[str, object]:
        """The members of a direct message to somebody."""
        sealed = reader.public.seal(text.encode())
        return {
            "ciphertext": base64url.encode(sealed),
            "sender_pub": self.key_text,
            "content_sig": self.content_sig(sealed, to, ts),
        }

    def opens(self, envelope: Envelope) -> str:
        """What a message to us says."""
        return self.key.open(base64url.decode(str(envelope.members["ciphertext"]))).decode()


def key_in(form: str, key: PrivateKey) -> str:
    """The text of a public key in one of the forms of the table."""
    lines = base64.encodebytes(key.public.der).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n"
    match form:
        case "padded":
            return base64.urlsafe_b64encode(key.public.der).decode()
        case "pem64":
            return base64.b64encode(pem.encode()).decode()
        case "pem":
            return pem
    return key.public.text
