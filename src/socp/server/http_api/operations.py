"""What can be done over HTTP: the one table that router and OpenAPI document are made from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from socp import __version__
from socp.node import calls
from socp.server.http_api import bodies
from socp.server.http_api.bodies import Body
from socp.wire import base64url

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that fits its operation's schema. `proof` only where the operation wants one."""

    user_id: str
    body: Body | None
    query: Body | None
    proof: calls.Proof | None

    def body_as(self, kind: type[B]) -> B:
        assert isinstance(self.body, kind)
        return self.body

    @property
    def proven(self) -> calls.Proof:
        assert self.proof is not None
        return self.proof


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `replies`: status -> body; `refusals`: what else may be answered."""

    name: str
    method: str
    path: str
    summary: str
    replies: dict[int, type[Body]]
    ask: Callable[[Asked], calls.Call]
    say: Callable[[Any], tuple[int, Body]]
    body: type[Body] | None = None
    query: type[Body] | None = None
    wants_proof: bool = False
    secret: bool = False  # nobody on the way may keep the answer
    refusals: tuple[int, ...] = ()
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        matched = re.escape(self.path).replace(r"\{user_id\}", "(?P<user_id>[^/]*)")
        object.__setattr__(self, "pattern", re.compile(matched))


class ListQuery(Body, frozen=True, kw_only=True):
    """Which page of the ids."""

    after: Annotated[str, Meta(max_length=36)] = ""
    limit: Annotated[int, Meta(ge=1, le=bodies.IDS_MAX)] = bodies.IDS_MAX


USER: Final = "/api/v1/users/{user_id}"


# --- outcomes as bodies -----------------------------------------------------------------------


def _server(found: calls.Description) -> tuple[int, Body]:
    return 200, bodies.Server(
        server_id=found.server_id,
        pubkey=found.pubkey,
        fingerprint=found.fingerprint,
        version=__version__,
        protocol="1.3",
        features=found.features,
        registration=found.registration,
        login=("opaque/1",),
        lists_users=found.lists_users,
        limits=bodies.Bounds(),
    )


def _user(found: calls.UserFound) -> tuple[int, Body]:
    return 200, bodies.User(
        user_id=found.user_id,
        pubkey=found.pubkey,
        fingerprint=found.fingerprint,
        version=found.version,
        display_name=found.display_name,
        revoked=found.revoked,
        directory_sig="",  # the signers' part
    )


def _users(found: calls.IdsListed) -> tuple[int, Body]:
    return 200, bodies.Users(users=found.users, more=found.more)


def _challenge(made: calls.Challenged) -> tuple[int, Body]:
    return 200, bodies.Challenge(
        server_id=made.server_id,
        server_nonce=base64url.encode(made.server_nonce),
        valid_ms=made.valid_ms,
    )


def _known(done: calls.Registered) -> tuple[int, Body]:
    return 201 if done.new else 200, bodies.Known(user_id=done.user_id, new=done.new)


def _password(begun: calls.PasswordBegun) -> tuple[int, Body]:
    return 200, bodies.PasswordResponse(
        response=base64url.encode(begun.response),
        sig="",  # the signers' part
    )


def _done(_done: calls.Done) -> tuple[int, Body]:
    return 200, bodies.Nothing()


def _login(begun: calls.LoginBegun) -> tuple[int, Body]:
    return 200, bodies.LoginResponse(
        login=base64url.encode(begun.login),
        response=base64url.encode(begun.response),
        valid_ms=begun.valid_ms,
    )


def _key(found: calls.LoggedIn) -> tuple[int, Body]:
    return 200, bodies.SealedKey(user_id=found.user_id, privkey_store=found.box)


# --- requests as calls ------------------------------------------------------------------------


def _list(asked: Asked) -> calls.Call:
    query = asked.query
    assert isinstance(query, ListQuery)
    return calls.ListIds(query.after, query.limit)


def _register(asked: Asked) -> calls.Call:
    new = asked.body_as(bodies.NewUser)
    return calls.Register(new.user_id, new.pubkey, new.display_name, new.invitation, asked.proven)


def _begin_password(asked: Asked) -> calls.Call:
    request = asked.body_as(bodies.PasswordRequest).request
    return calls.BeginPassword(asked.user_id, base64url.decode(request), asked.proven)


def _keep_password(asked: Asked) -> calls.Call:
    new = asked.body_as(bodies.Password)
    record, box = base64url.decode(new.record), base64url.decode(new.privkey_store)
    return calls.KeepPassword(asked.user_id, record, box, asked.proven)


def _begin_login(asked: Asked) -> calls.Call:
    begun = asked.body_as(bodies.LoginRequest)
    return calls.BeginLogin(begun.user_id, base64url.decode(begun.request))


def _end_login(asked: Asked) -> calls.Call:
    proof = asked.body_as(bodies.LoginProof)
    return calls.EndLogin(base64url.decode(proof.login), base64url.decode(proof.proof))


OPERATIONS: Final = (
    Operation(
        name="describeServer",
        method="GET",
        path="/.well-known/socp",
        summary="Who this server is and what it offers",
        replies={200: bodies.Server},
        ask=lambda _: calls.Describe(),
        say=_server,
    ),
    Operation(
        name="findUser",
        method="GET",
        path=USER,
        summary="A user's key, its version and the directory's signature over both",
        replies={200: bodies.User},
        ask=lambda asked: calls.FindUser(asked.user_id),
        say=_user,
        refusals=(404,),
    ),
    Operation(
        name="listUsers",
        method="GET",
        path="/api/v1/users",
        summary="The ids of this server's users, where its operator allows that",
        replies={200: bodies.Users},
        ask=_list,
        say=_users,
        query=ListQuery,
        refusals=(403,),
    ),
    Operation(
        name="challenge",
        method="POST",
        path=USER + "/challenge",
        summary="A nonce for one SOCP-Proof of this user",
        replies={200: bodies.Challenge},
        ask=lambda asked: calls.BeginProof(asked.user_id),
        say=_challenge,
        secret=True,
        refusals=(404,),
    ),
    Operation(
        name="register",
        method="POST",
        path="/api/v1/users",
        summary="Become a user of this server",
        replies={200: bodies.Known, 201: bodies.Known},
        ask=_register,
        say=_known,
        body=bodies.NewUser,
        wants_proof=True,
        secret=True,
        refusals=(403, 409),
    ),
    Operation(
        name="beginPassword",
        method="POST",
        path=USER + "/login/begin",
        summary="First message of setting a password",
        replies={200: bodies.PasswordResponse},
        ask=_begin_password,
        say=_password,
        body=bodies.PasswordRequest,
        wants_proof=True,
        secret=True,
        refusals=(403, 404),
    ),
    Operation(
        name="setPassword",
        method="PUT",
        path=USER + "/login",
        summary="Third message of setting a password, with the sealed private key",
        replies={200: bodies.Nothing},
        ask=_keep_password,
        say=_done,
        body=bodies.Password,
        wants_proof=True,
        secret=True,
        refusals=(403, 404),
    ),
    Operation(
        name="removePassword",
        method="DELETE",
        path=USER + "/login",
        summary="No more login by password: record and sealed key are deleted",
        replies={200: bodies.Nothing},
        ask=lambda asked: calls.RemovePassword(asked.user_id, asked.proven),
        say=_done,
        wants_proof=True,
        secret=True,
        refusals=(403, 404),
    ),
    Operation(
        name="beginLogin",
        method="POST",
        path="/api/v1/login/begin",
        summary="First message of a login by password; who is unknown gets the like answer",
        replies={200: bodies.LoginResponse},
        ask=_begin_login,
        say=_login,
        body=bodies.LoginRequest,
        secret=True,
        refusals=(401, 403),
    ),
    Operation(
        name="endLogin",
        method="POST",
        path="/api/v1/login/end",
        summary="Third message of a login by password: the sealed private key",
        replies={200: bodies.SealedKey},
        ask=_end_login,
        say=_key,
        body=bodies.LoginProof,
        secret=True,
        refusals=(401,),
    ),
)


def find(method: str, path: str) -> tuple[Operation, str] | frozenset[str]:
    """The operation and the user_id in its path, else the methods that this path has."""
    methods = set()
    for operation in OPERATIONS:
        match = operation.pattern.fullmatch(path)
        if match is None:
            continue
        if operation.method == method or (method == "HEAD" and operation.method == "GET"):
            return operation, match.groupdict().get("user_id", "")
        methods.add(operation.method)
    return frozenset(methods)


def encoded(body: Body) -> bytes:
    """Its JSON."""
    return msgspec.json.encode(body)
