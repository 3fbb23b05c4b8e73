"""What can be asked over HTTP, and the answers (section 10: directory, accounts, login)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Proof:
    """A user's word for one request, signed under `socp-login/1` (section 10)."""

    server_nonce: bytes
    client_nonce: bytes  # covers the request: signing.request_nonce
    sig: str


@dataclass(frozen=True, slots=True)
class Describe:
    """Who this server is and what it offers: Description."""


@dataclass(frozen=True, slots=True)
class FindUser:
    """get_pubkey of section 10: UserFound."""

    user_id: str


@dataclass(frozen=True, slots=True)
class ListIds:
    """The ids of our own users, sorted, after `after`: IdsListed."""

    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class BeginProof:
    """A nonce for a Proof of this user: Challenged, whoever exists."""

    user_id: str


@dataclass(frozen=True, slots=True)
class Register:
    """Become a user: Registered."""

    user_id: str
    pubkey: str
    display_name: str
    invitation: str = field(repr=False)
    proof: Proof


@dataclass(frozen=True, slots=True)
class BeginPassword:
    """First message of setting a password: PasswordBegun."""

    user_id: str
    request: bytes
    proof: Proof


@dataclass(frozen=True, slots=True)
class KeepPassword:
    """Third message of setting a password, with the sealed key: Done."""

    user_id: str
    record: bytes = field(repr=False)
    box: bytes = field(repr=False)
    proof: Proof


@dataclass(frozen=True, slots=True)
class RemovePassword:
    """No more login by password: Done."""

    user_id: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class BeginLogin:
    """First message of a login: LoginBegun, whoever exists."""

    user_id: str
    request: bytes


@dataclass(frozen=True, slots=True)
class EndLogin:
    """Third message of a login: LoggedIn."""

    login: bytes
    proof: bytes


Call = (
    Describe
    | FindUser
    | ListIds
    | BeginProof
    | Register
    | BeginPassword
    | KeepPassword
    | RemovePassword
    | BeginLogin
    | EndLogin
)


@dataclass(frozen=True, slots=True)
class Description:
    server_id: str
    pubkey: str
    fingerprint: str
    features: tuple[str, ...]
    registration: str
    lists_users: bool


@dataclass(frozen=True, slots=True)
class UserFound:
    """Its proof is the directory's signature, `directory_sig`."""

    user_id: str
    pubkey: str
    fingerprint: str
    version: int
    display_name: str
    revoked: bool = False  # by its owner: the id is dead


@dataclass(frozen=True, slots=True)
class IdsListed:
    """`more`: there are ids after the last of these."""

    users: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Challenged:
    server_id: str
    server_nonce: bytes
    valid_ms: int


@dataclass(frozen=True, slots=True)
class Registered:
    """`new`: they were no user before."""

    user_id: str
    new: bool


@dataclass(frozen=True, slots=True)
class PasswordBegun:
    """Its proof is `sig`, by which the client knows that this is the server's own answer."""

    response: bytes


@dataclass(frozen=True, slots=True)
class LoginBegun:
    login: bytes
    response: bytes
    valid_ms: int


@dataclass(frozen=True, slots=True)
class LoggedIn:
    user_id: str
    box: str = field(repr=False)  # base64url


@dataclass(frozen=True, slots=True)
class Done:
    """It is so, and committed."""


class Why(StrEnum):
    """Why a call was refused. Each is one status of HTTP."""

    NOT_PROVEN = "NOT_PROVEN"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN = "USER_NOT_FOUND"
    TAKEN = "BAD_KEY"
    LIMITED = "RATE_LIMITED"
    UNFIT = "BAD_REQUEST"
    NOT_STORED = "NOT_STORED"


@dataclass(frozen=True, slots=True)
class Refused:
    """`detail` ends in the remedy."""

    why: Why
    detail: str
    wait_s: int = 0  # before trying again, where that can help


Outcome = (
    Description
    | UserFound
    | IdsListed
    | Challenged
    | Registered
    | PasswordBegun
    | LoginBegun
    | LoggedIn
    | Done
    | Refused
)


class CallRefused(Exception):
    """Ends a call; becomes its Refused."""

    def __init__(self, why: Why, detail: str, *, wait_s: int = 0) -> None:
        super().__init__(f"{why}: {detail}")
        self.outcome = Refused(why, detail, wait_s)
