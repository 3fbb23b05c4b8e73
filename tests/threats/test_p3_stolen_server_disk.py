"""P3: a thief of the server's disk has no password, no user's key, and no cheap way to guess."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from socp.client import account
from socp.client.unlocking import Plain
from socp.crypto import opaque, passwords
from socp.crypto.keys import RsaSuite
from socp.crypto.opaque import Login, LoginRefused, OpaqueKeeper
from socp.wire import base64url
from tests.client.test_account import attach
from tests.keys import test_key
from tests.mesh.launch import running
from tests.mesh.stored import give_key

PASSWORD = "correct horse battery"
USER_KEY = 7


def texts_of(secret: bytes) -> list[bytes]:
    """The ways in which some bytes might stand in a file."""
    shifted = [base64.b64encode(secret[at : at + 48]) for at in (0, 1, 2)]
    urls = [text.replace(b"+", b"-").replace(b"/", b"_") for text in shifted]
    return [secret[:64], secret.hex().encode()[:64], *shifted, *urls]


async def stolen(folder: Path) -> tuple[str, str, bytes]:
    """(server_id, user_id, every byte of the data folder) after a password was set."""
    give_key(folder, 2)
    with running(folder, "--bootstrap", "none", "--log-level", "trace") as server:
        ann = folder / "ann"
        user_id, _ = await attach(ann, server, "ann", USER_KEY)
        await account.set_password(ann, server.url, "ann", PASSWORD)
        await account.log_in(folder / "new", server.url, "ann", user_id, PASSWORD, lock=Plain())
        server_id = server.wait_for(r"Server initialized with ID: (\S+)")[1]
        log = server.log().encode()
        server.stop()
    files = [file for file in (folder / "data").iterdir() if file.is_file()]
    assert any(file.name.startswith("socp.db") for file in files)
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    return server_id, user_id, log + b"".join(file.read_bytes() for file in files)


@pytest.mark.threat("P3")
async def test_neither_password_nor_key_stands_on_the_disk_or_in_the_log(tmp_path: Path) -> None:
    server_id, user_id, everything = await stolen(tmp_path)
    stretched = passwords.stretch(PASSWORD, server_id, user_id)
    private = test_key(USER_KEY).to_bytes()
    secrets = {
        "password": [PASSWORD.encode()],
        "stretched": texts_of(stretched),
        "what goes into the exchange": [passwords.exchange_password(stretched).encode()],
        # Behind the modulus, which is public: of d, of p and of q.
        "private key": [each for at in (700, 1200, 1500) for each in texts_of(private[at:])],
    }
    for name, forms in secrets.items():
        assert not [form for form in forms if form in everything], name


@pytest.mark.threat("P3")
async def test_with_all_that_the_disk_holds_a_guess_costs_the_stretch(tmp_path: Path) -> None:
    server_id, user_id, _ = await stolen(tmp_path)
    with closing(sqlite3.connect(tmp_path / "data" / "socp.db")) as connection:
        (setup,) = connection.execute("SELECT setup FROM login_setup").fetchone()
        record, box = connection.execute(
            "SELECT pake_password, privkey_store FROM users"
        ).fetchone()
    keeper = OpaqueKeeper(RsaSuite(), setup)

    def opens_with(guess: str) -> bytes:
        login = Login(guess)
        response, _ = keeper.begin(login.request, user_id, base64url.decode(record))
        return login.finish(response)[1]

    for cheap in (PASSWORD, passwords.exchange_password(PASSWORD.encode()[:32])):
        with pytest.raises(LoginRefused):
            opens_with(cheap)
    stretched = passwords.stretch(PASSWORD, server_id, user_id)
    export_key = opens_with(passwords.exchange_password(stretched))
    sealed = base64url.decode(box)
    assert passwords.cost_of(sealed).memory_kib >= 64 * 1024
    opened = passwords.open_key(sealed, stretched, export_key, server_id, user_id)
    assert opened == test_key(USER_KEY).to_bytes()
    assert len(export_key) == passwords.EXPORT_KEY_BYTES
    assert len(base64url.decode(record)) == opaque.RECORD_BYTES
