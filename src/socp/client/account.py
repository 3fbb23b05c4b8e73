"""A password for a profile: set it, log in with it on a new machine, remove it (section 10).

The server learns neither the password nor the key: docs/decisions/0001-password-login.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from socp.client import server_url
from socp.client.errors import ProfileUnusable, TurnedAway
from socp.client.http_api import Answer, HttpApi, NotKnown, Server, User
from socp.client.opening import next_try
from socp.client.profile_folder import (
    Chosen,
    OpenProfile,
    check_begun,
    check_free,
    open_profile,
    restore,
)
from socp.client.server_url import ServerUrl
from socp.client.unlocking import Lock, Passphrase
from socp.crypto import opaque, passwords, signing
from socp.crypto.keys import KeyRefused, PrivateKey, RsaSuite, Suite, Unreadable
from socp.crypto.opaque import LoginRefused
from socp.crypto.passwords import WeakPassword
from socp.member.records import KnownServer
from socp.wire import base64url
from socp.wire.errors import PeerFault
from socp.wire.ids import is_uuid4

LOGIN: Final = "opaque/1"
WRONG: Final = (
    "the id or the password is wrong, or nobody set a password at this server; check both"
)
TALK_FIRST: Final = "talk there once with `socp chat` first"
REPLACED: Final = (
    "this key was replaced on another machine; go on there, set a password there, and log in here"
    " with that into a new profile"
)


class PasswordResponse(Answer, frozen=True):
    response: str
    sig: str


class LoginResponse(Answer, frozen=True):
    login: str
    response: str


class SealedKey(Answer, frozen=True):
    privkey_store: str


async def set_password(
    folder: Path,
    server: str,
    name: str,
    password: str,
    *,
    lock: Lock | None = None,
    suite: Suite | None = None,
) -> str:
    """Let the profile's key be fetched from `server` with `password`; the user_id to keep.

    A password that was set before is replaced. `lock` opens the profile, where it is sealed by a
    passphrase. WeakPassword, ProfileBusy, VaultLocked, ProfileUnusable, NoAnswer, TurnedAway.
    """
    passwords.check_strength(password)
    url, suite = server_url.parse(server), suite or RsaSuite()
    check_begun(folder)
    profile = await _opened(folder, name, suite, lock)
    try:
        await _set_password(profile, url, password, suite)
    finally:
        await asyncio.to_thread(profile.store.close)
    return profile.user_id


async def _opened(folder: Path, name: str, suite: Suite, lock: Lock | None) -> OpenProfile:
    if isinstance(lock, Passphrase):
        await next_try(folder)
    return await asyncio.to_thread(open_profile, folder, Chosen(name), suite, lock)


async def _set_password(profile: OpenProfile, url: ServerUrl, password: str, suite: Suite) -> None:
    user_id, key, known = profile.user_id, profile.keys.present, _server_of(profile, url)
    stretched = await _stretched(password, known.server_id, user_id)
    registration = opaque.Registration(passwords.exchange_password(stretched))
    path = f"/api/v1/users/{user_id}/login"
    async with HttpApi(url, suite) as api:
        await _check_known(api, profile, url, suite)
        request = {"request": base64url.encode(registration.request)}
        who = {"user_id": user_id, "server_id": known.server_id}
        answer = await api.prove("POST", f"{path}/begin", PasswordResponse, request, **who, key=key)
        with _holds(url):
            response = base64url.decode(answer.response)
            said = signing.password_answer(user_id, known.server_id, registration.request, response)
            if not signing.verify(suite.parse_public(known.pubkey), answer.sig, said):
                raise LoginRefused
            record, export_key = await asyncio.to_thread(registration.finish, response)
        box = passwords.seal_key(
            suite, key.to_bytes(), stretched, export_key, known.server_id, user_id
        )
        kept = {"record": base64url.encode(record), "privkey_store": base64url.encode(box)}
        await api.prove("PUT", path, Answer, kept, **who, key=key)


async def forget_password(
    folder: Path,
    server: str,
    name: str,
    *,
    lock: Lock | None = None,
    suite: Suite | None = None,
) -> None:
    """Delete what `server` keeps for logins of this profile. Errors as in `set_password`."""
    url, suite = server_url.parse(server), suite or RsaSuite()
    check_begun(folder)
    profile = await _opened(folder, name, suite, lock)
    try:
        known = _server_of(profile, url)
        async with HttpApi(url, suite) as api:
            await _check_known(api, profile, url, suite)
            await api.prove(
                "DELETE",
                f"/api/v1/users/{profile.user_id}/login",
                Answer,
                None,
                user_id=profile.user_id,
                server_id=known.server_id,
                key=profile.keys.present,
            )
    finally:
        await asyncio.to_thread(profile.store.close)


async def log_in(
    folder: Path,
    server: str,
    name: str,
    user_id: str,
    password: str,
    *,
    lock: Lock,
    suite: Suite | None = None,
) -> None:
    """Make the empty `folder` the profile of `user_id`, whose key `server` keeps sealed.

    `lock` is how it is sealed from then on. ProfileBusy, ProfileUnusable, WeakPassphrase,
    VaultLocked, NoAnswer, TurnedAway.
    """
    url, suite = server_url.parse(server), suite or RsaSuite()
    if not is_uuid4(user_id):
        raise TurnedAway("that is no user id; it looks like 1f3c9a20-..., and /whois shows yours")
    await asyncio.to_thread(check_free, folder)
    key, version = await _fetched(url, user_id, password, suite)
    await asyncio.to_thread(restore, folder, user_id, Chosen(name, url.text), key, version, lock)


async def _fetched(
    url: ServerUrl, user_id: str, password: str, suite: Suite
) -> tuple[PrivateKey, int]:
    """The key, and its version: without that nobody could replace or revoke it."""
    async with HttpApi(url, suite) as api:
        found = await api.get("/.well-known/socp", Server)
        if LOGIN not in found.login:
            raise TurnedAway(f"{url.text} offers no login by password; copy your profile instead")
        server_id = found.server_id
        stretched = await _stretched(password, server_id, user_id)
        login = opaque.Login(passwords.exchange_password(stretched))
        begun = await api.post(
            "/api/v1/login/begin",
            LoginResponse,
            {"user_id": user_id, "request": base64url.encode(login.request)},
        )
        try:
            response = base64url.decode(begun.response)
            proof, export_key = await asyncio.to_thread(login.finish, response)
        except (LoginRefused, PeerFault):
            raise TurnedAway(WRONG) from None
        sealed = await api.post(
            "/api/v1/login/end",
            SealedKey,
            {"login": begun.login, "proof": base64url.encode(proof)},
        )
        user = await _found(api, user_id, url)
    with _holds(url):
        box = base64url.decode(sealed.privkey_store)
        cost = passwords.cost_of(box)
        if cost != passwords.COST:
            stretched = await _stretched(password, server_id, user_id, cost)
        key = suite.load_private(passwords.open_key(box, stretched, export_key, server_id, user_id))
        _check_present(user, key, suite)
        return key, user.version


async def _stretched(
    password: str, server_id: str, user_id: str, cost: passwords.Cost = passwords.COST
) -> bytes:
    return await asyncio.to_thread(passwords.stretch, password, server_id, user_id, cost)


def _check_present(user: User, key: PrivateKey, suite: Suite) -> None:
    """TurnedAway where the user has another key by now, or ended the id."""
    if user.revoked:
        raise TurnedAway("this id was revoked for ever; begin a new profile")
    if suite.parse_public(user.pubkey) != key.public:
        raise TurnedAway(REPLACED)


async def _check_known(api: HttpApi, profile: OpenProfile, url: ServerUrl, suite: Suite) -> None:
    user = await _found(api, profile.user_id, url)
    new = profile.keys.new
    with _holds(url):
        if new is not None and suite.parse_public(user.pubkey) == new.public:
            raise TurnedAway(f"your new key is not settled yet; {TALK_FIRST}")
        _check_present(user, profile.keys.present, suite)


async def _found(api: HttpApi, user_id: str, url: ServerUrl) -> User:
    try:
        return await api.get(f"/api/v1/users/{user_id}", User)
    except NotKnown:
        raise TurnedAway(f"{url.text} does not know you; {TALK_FIRST}") from None


def _server_of(profile: OpenProfile, url: ServerUrl) -> KnownServer:
    """The server at this address, whose key it proved to us: to no other we prove ours."""
    there = [
        each
        for each in profile.store.load().servers
        if each.address == url.text and each.pubkey and each.features
    ]
    if not there:
        raise ProfileUnusable(
            f"this profile never was at {url.text}; talk there once with `socp chat` first"
        )
    return max(there, key=lambda each: each.pinned_ms)


@contextmanager
def _holds(url: ServerUrl) -> Iterator[None]:
    """What the server said must fit; where not, it is not the server we know, or broken."""
    try:
        yield
    except (LoginRefused, Unreadable, KeyRefused, PeerFault):
        raise TurnedAway(
            f"what {url.text} sent does not fit: somebody may stand between you and it,"
            " or it lost what it kept; try another network, or ask its operator"
        ) from None


__all__ = ["WeakPassword", "forget_password", "log_in", "set_password"]
