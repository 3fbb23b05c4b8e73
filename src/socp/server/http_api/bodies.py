"""What the API takes and gives, as JSON (docs/implementers.md). The schemas are made from these."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from socp.crypto import opaque, passwords
from socp.crypto.fields import NONCE_BYTES
from socp.wire import limits
from socp.wire.ids import UUID4_PATTERN

IDS_MAX: Final = 1000
_CHAR: Final = "[A-Za-z0-9_-]"
# The last character may have bits that belong to no byte: they are zero.
_LAST: Final = {0: "", 1: f"{_CHAR}[AQgw]", 2: f"{_CHAR}{{2}}[AEIMQUYcgkosw048]"}
_ANY: Final = f"^(?:{_CHAR}{{4}})*(?:{_LAST[1]}|{_LAST[2]})?$"


def base64url(size: int) -> Meta:
    """The one text of `size` bytes, without padding."""
    whole, rest = divmod(size, 3)
    chars = size * 4 // 3 + (rest > 0)
    pattern = f"^{_CHAR}{{{whole * 4}}}{_LAST[rest]}$"
    return Meta(min_length=chars, max_length=chars, pattern=pattern)


Id = Annotated[str, Meta(pattern=UUID4_PATTERN, min_length=36, max_length=36)]
ServerId = Annotated[str, Meta(min_length=1, max_length=64)]
Nonce = Annotated[str, base64url(NONCE_BYTES)]
Signature = Annotated[str, base64url(limits.RSA_BYTES)]
Key = Annotated[
    str,
    Meta(
        max_length=limits.KEY_TEXT_CHARS,
        description="RSA-4096, DER SubjectPublicKeyInfo in base64url",
    ),
]
Fingerprint = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]
Box = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=passwords.BOX_BYTES_MAX * 4 // 3 + 1,
        pattern=_ANY,
        description="sealed by its owner, base64url",
    ),
]
Label = Annotated[str, Meta(max_length=256)]
Count = Annotated[int, Meta(ge=0)]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request or answer."""


class Fault(Body, frozen=True, kw_only=True):
    """What went wrong, and in `detail` what to do about it."""

    code: str
    detail: str


class Bounds(Body, frozen=True, kw_only=True):
    """What an address, and where said an account, may do."""

    body_bytes: Count = limits.HTTP_BODY_BYTES
    requests_burst: Count = limits.HTTP_REQUESTS_BURST
    requests_per_s: Count = limits.HTTP_REQUESTS_PER_S
    login_tries_burst: Count = limits.LOGIN_TRIES_BURST
    login_tries_per_min: Count = limits.LOGIN_TRIES_PER_MIN
    list_ids: Count = IDS_MAX


class Server(Body, frozen=True, kw_only=True):
    """Who this server is and what it offers. Its key counts once it proved it on a link."""

    server_id: ServerId
    pubkey: Key
    fingerprint: Fingerprint
    version: str
    protocol: str
    features: tuple[str, ...]
    registration: Annotated[str, Meta(description="open, invite or closed")]
    login: Annotated[tuple[str, ...], Meta(description="ways to log in: opaque/1")]
    lists_users: bool
    limits: Bounds


class User(Body, frozen=True, kw_only=True):
    """A user's key as the directory knows it. `revoked`: its owner ended the id for ever.

    `directory_sig`: the server's PSS over "socp-directory/1", user_id, fingerprint and version.
    """

    user_id: Id
    pubkey: Key
    fingerprint: Fingerprint
    version: Annotated[int, Meta(ge=1)]
    display_name: str
    revoked: bool
    directory_sig: Signature


class Users(Body, frozen=True, kw_only=True):
    """Ids, sorted. `more`: ask again with `after` the last of them."""

    users: tuple[Id, ...]
    more: bool


class Challenge(Body, frozen=True, kw_only=True):
    """Good for one proof within `valid_ms`."""

    server_id: ServerId
    server_nonce: Nonce
    valid_ms: Count


class NewUser(Body, frozen=True, kw_only=True):
    """`invitation`: the operator's code, where this server asks for one."""

    user_id: Id
    pubkey: Key
    display_name: Label = ""
    invitation: Annotated[str, Meta(max_length=limits.INVITATION_CHARS)] = ""


class Known(Body, frozen=True, kw_only=True):
    """`new`: they were no user here before."""

    user_id: Id
    new: bool


class PasswordRequest(Body, frozen=True, kw_only=True):
    """RFC 9807, RegistrationRequest."""

    request: Annotated[str, base64url(opaque.REGISTRATION_REQUEST_BYTES)]


class PasswordResponse(Body, frozen=True, kw_only=True):
    """RFC 9807, RegistrationResponse.

    `sig`: the server's PSS over "socp-password/1", user_id, server_id and the SHA-256 of request
    and response.
    """

    response: Annotated[str, base64url(opaque.REGISTRATION_RESPONSE_BYTES)]
    sig: Signature


class Password(Body, frozen=True, kw_only=True):
    """RFC 9807, RegistrationRecord, and the private key sealed by its owner."""

    record: Annotated[str, base64url(opaque.RECORD_BYTES)]
    privkey_store: Box


class LoginRequest(Body, frozen=True, kw_only=True):
    """RFC 9807, KE1."""

    user_id: Id
    request: Annotated[str, base64url(opaque.LOGIN_REQUEST_BYTES)]


class LoginResponse(Body, frozen=True, kw_only=True):
    """RFC 9807, KE2. `login` names this try for `valid_ms`."""

    login: Annotated[str, base64url(16)]
    response: Annotated[str, base64url(opaque.LOGIN_RESPONSE_BYTES)]
    valid_ms: Count


class LoginProof(Body, frozen=True, kw_only=True):
    """RFC 9807, KE3."""

    login: Annotated[str, base64url(16)]
    proof: Annotated[str, base64url(opaque.LOGIN_PROOF_BYTES)]


class SealedKey(Body, frozen=True, kw_only=True):
    """What its owner sealed, for who proved to know the password."""

    user_id: Id
    privkey_store: Box


class Nothing(Body, frozen=True, kw_only=True):
    """It is so, and stored."""
