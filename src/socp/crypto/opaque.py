"""Login by password without telling it: OPAQUE (RFC 9807) behind one door.

Messages are the RFC's own bytes: ristretto255-SHA512, 3DH, no context, no identities; the library
stretches once more with Argon2id (19 MiB, 2 passes, 1 lane). Why this library, and what it would
take to leave it: docs/decisions/0001-password-login.md.
"""

from __future__ import annotations

from typing import Final

import opaque_snake as opaque

from socp.crypto.keys import Suite
from socp.wire import base64url

SETUP_BYTES: Final = 128
REGISTRATION_REQUEST_BYTES: Final = 32
REGISTRATION_RESPONSE_BYTES: Final = 64
RECORD_BYTES: Final = 192  # what the client uploads is what the server keeps
LOGIN_REQUEST_BYTES: Final = 96
LOGIN_RESPONSE_BYTES: Final = 320
LOGIN_PROOF_BYTES: Final = 64
_NOBODY: Final = "nobody"


class LoginRefused(Exception):
    """A wrong password, or a message that is none. It never says which."""

    def __init__(self) -> None:
        super().__init__("this login does not hold")


class LoginInHand:
    """The server's side of one login that was begun. Good for one end."""

    __slots__ = ("_server", "_state")

    def __init__(self, server: opaque.OpaqueServer, state: opaque.ServerLoginState) -> None:
        self._server = server
        self._state = state

    def holds(self, proof: bytes) -> bool:
        """Whether the other side knew the password. False for garbage, and the second time."""
        try:
            final = opaque.CredentialFinalization.from_bytes(proof)
            self._server.finish_login(final, self._state)
        except opaque.OpaqueError:
            return False
        return True


class OpaqueKeeper:
    """The server's half. `setup` is its secret; whoever changes it changes all passwords."""

    def __init__(self, suite: Suite, setup: bytes = b"") -> None:
        """A new secret where `setup` is empty. LoginRefused where it is none."""
        try:
            self._server = opaque.OpaqueServer(setup or None)
        except opaque.OpaqueError:
            raise LoginRefused from None
        self._nobody = _record_of_nobody(self._server, suite)

    def __repr__(self) -> str:
        return "<OpaqueKeeper>"

    @property
    def setup(self) -> bytes:
        """The secret, to be stored."""
        return self._server.export_setup()

    def answer_registration(self, request: bytes, user_id: str) -> bytes:
        """The second message of setting a password. LoginRefused.

        Only for whom has proved to be `user_id`: with free answers guesses could be tested.
        """
        try:
            asked = opaque.RegistrationRequest.from_bytes(request)
            return self._server.create_registration_response(asked, user_id).to_bytes()
        except opaque.OpaqueError:
            raise LoginRefused from None

    def checked_record(self, upload: bytes) -> bytes:
        """The record to keep for a user, from the third message. LoginRefused."""
        try:
            parsed = opaque.RegistrationUpload.from_bytes(upload)
            return self._server.finish_registration(parsed).to_bytes()
        except opaque.OpaqueError:
            raise LoginRefused from None

    def begin(self, request: bytes, user_id: str, record: bytes) -> tuple[bytes, LoginInHand]:
        """The second message of a login, and its rest. LoginRefused.

        `record` empty: the answer looks like any other, and no password fits it.
        """
        try:
            asked = opaque.CredentialRequest.from_bytes(request)
            kept = opaque.PasswordFile.from_bytes(record or self._nobody)
            response, state = self._server.create_credential_response(asked, user_id, kept)
            return response.to_bytes(), LoginInHand(self._server, state)
        except opaque.OpaqueError:
            raise LoginRefused from None


class Registration:
    """The client's half of setting a password. `request` goes to the server."""

    def __init__(self, password: str) -> None:
        self._password = password
        asked, self._state = opaque.OpaqueClient().start_registration(password)
        self.request = asked.to_bytes()

    def finish(self, response: bytes) -> tuple[bytes, bytes]:
        """(upload, export_key). LoginRefused."""
        try:
            said = opaque.RegistrationResponse.from_bytes(response)
            done = opaque.OpaqueClient().finish_registration(said, self._state, self._password)
        except opaque.OpaqueError:
            raise LoginRefused from None
        return done.upload.to_bytes(), done.export_key


class Login:
    """The client's half of a login. `request` goes to the server."""

    def __init__(self, password: str) -> None:
        self._password = password
        asked, self._state = opaque.OpaqueClient().start_login(password)
        self.request = asked.to_bytes()

    def finish(self, response: bytes) -> tuple[bytes, bytes]:
        """(proof, export_key). LoginRefused: the password, or the server, is another one."""
        try:
            said = opaque.CredentialResponse.from_bytes(response)
            done = opaque.OpaqueClient().finish_login(said, self._state, self._password)
        except opaque.OpaqueError:
            raise LoginRefused from None
        export_key = done.session_keys.export_key
        if export_key is None:
            raise LoginRefused
        return done.finalization.to_bytes(), export_key


def _record_of_nobody(server: opaque.OpaqueServer, suite: Suite) -> bytes:
    """A real record of a password that nobody knows: 256 random bits, forgotten at once."""
    password = base64url.encode(suite.random(32))
    client = opaque.OpaqueClient()
    asked, state = client.start_registration(password)
    response = server.create_registration_response(asked, _NOBODY)
    return client.finish_registration(response, state, password).upload.to_bytes()
