"""P4: a profile folder copied by a thief tells them nothing that anybody said, knew or owned."""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from socp.client import key_files
from socp.client.client import Client
from socp.client.errors import WrongPassphrase
from socp.client.history import History
from socp.client.profile_folder import Chosen, open_profile
from socp.client.unlocking import Passphrase
from socp.crypto.keys import PrivateKey
from socp.crypto.symbolic import SymbolicSuite
from socp.member.draft import Draft
from socp.member.effects import MessageArrived, Online
from socp.member.records import Amendment, LineState, Said
from tests import logbook
from tests.client.people import Friend
from tests.client.v13_server import Server, serving
from tests.keys import test_key
from tests.mesh.stored import StoredSuite
from tests.storage import examples

WORDS = "correct horse battery"
LOCK = Passphrase(lambda: WORDS)
LINES = 2_000
NOBODY = "99999999-9999-4999-8999-999999999999"
TEXTS = (
    "zwetschgenknoedel at the quay wall",
    "l'\u00e9chappatoire of Bartholomew",
    "nobody shall know this sentence",
    "halfway through a confession",
)

pytestmark = pytest.mark.threat("P4")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


def disguises(secret: str | bytes) -> list[bytes]:
    """The ways in which it might stand in a file."""
    if isinstance(secret, bytes):
        shifted = [base64.b64encode(secret[at : at + 48]) for at in (0, 1, 2)]
        urls = [text.replace(b"+", b"-").replace(b"/", b"_") for text in shifted]
        return [secret[:32], secret.hex().encode()[:64], *shifted, *urls]
    spelled = {secret, secret.lower(), secret.upper(), secret.casefold()}
    return [form.encode(code) for form in spelled for code in ("utf-8", "utf-16-le")] + [
        base64.b64encode(secret.encode() + bytes(3))[: len(secret) * 4 // 3 // 4 * 4]
    ]


def words_of(text: str) -> list[str]:
    """The text, and the words of it that stand in no file by chance."""
    return [text, *(word for word in text.split() if len(word) > 5)]


def found(folder: Path, secrets: Iterable[str | bytes]) -> list[str | bytes]:
    """Those that stand in a file of the folder, or in a file's name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = [str(path.relative_to(folder)).encode() for path in files]
    everything = b"\0".join([*(path.read_bytes() for path in files), *names])
    assert len(everything) > 20_000
    return [one for one in secrets if any(form in everything for form in disguises(one))]


async def test_what_was_said_and_who_is_known_is_not_in_the_folder(
    tmp_path: Path, server: Server
) -> None:
    suite = SymbolicSuite(3)
    folder, downloads = tmp_path / "alice", tmp_path / "downloads"
    for text in TEXTS:
        logbook.said(text)
    secrets: list[str | bytes] = ["Bartholomew", "Ermintrude", server.url]
    async with Client.open(
        folder,
        server.url,
        name="Ermintrude",
        downloads=downloads,
        lock=LOCK,
        suite=suite,
    ) as client:
        link = await server.link()
        bob = Friend(suite.generate(), name="Bartholomew")
        await bob.comes(link)
        waits = await client.send(NOBODY, TEXTS[2])
        async for notice in client.events():
            if isinstance(notice, Online):
                await bob.tells(link, suite, TEXTS[0])
            if isinstance(notice, MessageArrived):
                assert notice.text == TEXTS[0]
                break
        await client.send(bob.id, TEXTS[1])
        await client.keep_drafts({bob.id: Draft(TEXTS[3], quote=TEXTS[0])})
        secrets += [word for text in TEXTS for word in words_of(text)]
        secrets += [client.user_id, bob.id, bob.key.public.text[:60]]
        assert found(folder, secrets) == []  # while it is in use, with the log of the database
        assert waits.state is LineState.WAITING
    assert found(folder, secrets) == []
    # It is all there, for who knows the passphrase.
    async with History.open(folder, LOCK) as history:
        lines = await history.search("zwetschgenknoedel")
        assert [line.text for line in lines] == [TEXTS[0]]
        assert history.find("bartholomew") == bob.id


def said(number: int) -> Said:
    text = TEXTS[number % len(TEXTS)] + f" number{number:07d}"
    return Said(
        number,
        examples.BOB,
        examples.BOB,
        text,
        examples.NOW,
        examples.NOW,
        "pinned",
        (f"{number:043d}",),
    )


def private_parts(key: PrivateKey) -> list[bytes]:
    """Behind the modulus, which is public: of d, of p and of q; and where it begins."""
    der = key.to_bytes()
    return [der[:48], der[600:648], der[1300:1348], der[1700:1748]]


def test_no_record_and_no_key_is_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "alice"
    opened = open_profile(folder, Chosen("Ermintrude"), StoredSuite(4), LOCK)
    vault = opened.store.vault
    key_files.keep_new(folder, test_key(5), vault)
    key_files.promote_new(folder, 1)
    key_files.keep_new(folder, test_key(6), vault)
    opened.store.write([said(number) for number in range(1, LINES)]).result()
    changed = Amendment(
        LINES, examples.BOB, f"{1:043d}", examples.BOB, "edit", "otherwise entirely", 1, "r" * 43
    )
    opened.store.write([changed, *examples.MEMBER_RECORDS]).result()
    secrets: list[str | bytes] = [
        *(word for text in TEXTS for word in words_of(text)),
        *("number0000001", "number0001000", "entirely", "Ermintrude", "ws://localhost:8001"),
        *(examples.ALICE, examples.BOB, examples.SERVER, examples.CONTACT.pubkey),
        *("hello\nyou", "r" * 43, f"{7:043d}"),
        *("half of the secret plan", "schnitzel", "d" * 43),
        *(examples.CHANNEL_KEY.private, examples.CHANNEL_KEY.group_key, *examples.LINE.frames[:1]),
        *(part for number in (4, 5, 6) for part in private_parts(test_key(number))),
        *(WORDS, vault.master),
    ]
    assert found(folder, secrets) == []
    opened.store.close()
    assert found(folder, secrets) == []
    # The same eyes see all of it where it is not sealed.
    control = tmp_path / "control"
    control.mkdir()
    for number, one in enumerate(secrets):
        raw = one if isinstance(one, bytes) else one.encode()
        (control / str(number)).write_bytes(raw + bytes(1_000))
    assert found(control, secrets) == secrets


def test_a_copy_opens_with_the_passphrase_alone(tmp_path: Path) -> None:
    folder, copy = tmp_path / "alice", tmp_path / "thief"
    open_profile(folder, Chosen("Alice"), SymbolicSuite(1), LOCK).store.close()
    shutil.copytree(folder, copy)
    for guess in ("", "alice", "password", WORDS.upper()):
        with pytest.raises(WrongPassphrase):
            open_profile(copy, Chosen(), SymbolicSuite(1), Passphrase(guess.strip))
    # The owner's own count is not the thief's, nor the other way round.
    open_profile(folder, Chosen(), SymbolicSuite(1), LOCK).store.close()
