"""What is fuzzed: every door through which bytes of others come, and the law that holds there.

`take` does all that is done with such bytes and raises only where the law is broken. `seeds` are
good examples to begin from, mostly golden vectors.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from socp.client import parcel
from socp.client.errors import ParcelUnreadable
from socp.crypto import rotation
from socp.crypto.keys import KeyRefused, RsaSuite, Unreadable, load_private
from socp.crypto.rotation import Unfollowed
from socp.crypto.symbolic import SymbolicSuite
from socp.files.transfer import Broken, Complete, Write
from socp.keystore import pem, tries, vault_file
from socp.keystore.private_file import KeyFileError
from socp.server import flags
from socp.server.faults import StartFault
from socp.tui import choices_file
from socp.tui.choices_file import BadChoices
from socp.wire import base64url, invitation, limits, payloads
from socp.wire.addresses import parse_host_port
from socp.wire.canonical import canonical
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import FileChunk, FileStart, KeyHistory
from socp.wire.text import printable
from tests.files.wire import Table
from tests.files.wire import content as file_content
from tests.fuzz import http_door
from tests.keys import test_key
from tests.server.test_meter import Scene, masked
from tests.threats.hostile import assert_harmless
from tests.wire import test_content, test_fuzz, test_strict

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "vectors"
CORPUS = Path(__file__).parent / "corpus"
ALICE = "a11ce000-0000-4000-8000-000000000001"
TS = 1_760_000_000_000


@dataclass(frozen=True)
class Target:
    """One door. `max_bytes`: longer inputs show nothing new there."""

    take: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    max_bytes: int = 4096


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text(encoding="utf-8"))["cases"]
    return found


# --- frames -------------------------------------------------------------------------------------


def take_frame(data: bytes) -> None:
    """A fault of the peer's, or a typed payload: nothing else leaves the door."""
    test_fuzz.lives_through(data)


def frame_seeds() -> list[bytes]:
    members = ("type", "from", "to", "ts", "payload", "sig")
    whole = [{n: case[n] for n in members if n in case} for case in cases("wire/frames.json")]
    texts = [
        c["frame"] for f in ("good", "bad") for c in cases(f"wire/{f}_frames.json") if "frame" in c
    ]
    return [json.dumps(frame).encode() for frame in whole] + [text.encode() for text in texts]


def take_json(data: bytes) -> None:
    """What is taken is what a parser that looks at everything takes, and reads as it does (M7)."""
    with contextlib.suppress(UnicodeDecodeError):
        test_strict.agrees_with_the_reference(data.decode())


def json_seeds() -> list[bytes]:
    return [case["text"].encode() for case in cases("wire/canonical.json")] + frame_seeds()[:40]


def take_content(data: bytes) -> None:
    """What was sealed: content, a kind of a later version, or bare text."""
    test_content.lives_through(data)


def content_seeds() -> list[bytes]:
    return [case["text"].encode() for case in cases("wire/content.json")]


def take_text(data: bytes) -> None:
    """Short texts that others choose: addresses, codes, base64url, names."""
    text = data.decode(errors="replace")
    for read in (parse_host_port, base64url.decode, invitation.read):
        with contextlib.suppress(PeerFault):
            read(text)
    shown = printable(text, width=80).replace("\u200d", "")  # between two emoji alone
    assert_harmless(shown)


def text_seeds() -> list[bytes]:
    files = ("addresses", "base64url", "text")
    return [case["text"].encode() for file in files for case in cases(f"wire/{file}.json")]


# --- keys ---------------------------------------------------------------------------------------


@cache
def suites() -> tuple[RsaSuite, SymbolicSuite]:
    return RsaSuite(), SymbolicSuite(1)


def take_key(data: bytes) -> None:
    """BAD_KEY, or a sound key that has one text."""
    suite, _ = suites()
    key, code = None, None
    try:
        key = suite.parse_public(data.decode("latin-1"))
    except PeerFault as fault:
        code = fault.code
    if key is None:
        assert code is Code.BAD_KEY
        return
    assert suite.parse_public(key.text) == key
    assert not key.verify(b"x" * limits.RSA_BYTES, b"what nobody signed")


def key_seeds() -> list[bytes]:
    return [case["text"].encode() for case in cases("crypto/key_text.json")]


def take_key_file(data: bytes) -> None:
    """A refusal with what is wrong, or the key."""
    with contextlib.suppress(KeyRefused):
        load_private(pem.unarmour(data))
    with contextlib.suppress(KeyRefused):
        pem.unarmour(data, sealed=True)


def key_file_seeds() -> list[bytes]:
    found = [pem.armour(test_key(n).to_bytes()) for n in (0, 1)]
    return [*found, pem.armour(b"sealed" * 20, sealed=True), b"-----BEGIN RSA PRIVATE KEY-----"]


@cache
def folder() -> Path:
    """A folder of our own, gone with the process."""
    made = tempfile.TemporaryDirectory(prefix="socp-fuzz-")
    _open_folders.append(made)
    return Path(made.name)


_open_folders: list[tempfile.TemporaryDirectory[str]] = []


def put(name: str, data: bytes) -> Path:
    path = folder() / name
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def take_vault_file(data: bytes) -> None:
    """One line that says what to do, or what locks the profile."""
    path = put(vault_file.VAULT_FILE, data)
    with contextlib.suppress(KeyFileError):
        vault_file.load(path.parent)


def vault_file_seeds() -> list[bytes]:
    return [
        b'{"lock":"plain","key":"' + b"QUFB" * 10 + b'Qw=="}\n',
        b'{"lock":"passphrase","key":"QUFB","former":"QUFB"}\n',
        b'{"lock":"keyring","key":"QUFB","name":"alice"}\n',
    ]


def take_rotations(data: bytes) -> None:
    """A chain leads from the pinned key to its end, or nowhere."""
    _, suite = suites()
    try:
        said = payloads.parse_as(KeyHistory, data)
    except PeerFault:
        return
    pinned = chain_of()[0]
    with contextlib.suppress(Unfollowed):
        steps = rotation.follow(suite, ALICE, pinned, 1, said.rotations, TS + 1000)
        assert [step.version for step in steps] == list(range(2, 2 + len(steps)))
    with contextlib.suppress(Unfollowed):
        rotation.introduced(suite, ALICE, pinned, said.rotations, TS + 1000)
    if said.revoked is not None:
        rotation.revocation_holds(ALICE, pinned, said.revoked)


@cache
def chain_of() -> tuple[Any, ...]:
    """The first public key, three steps from it, and the last word."""
    suite = SymbolicSuite(7)
    keys = [suite.generate() for _ in range(4)]
    pairs = enumerate(itertools.pairwise(keys), 2)
    steps = [rotation.rotate(ALICE, a, b, n, TS + n).rotation for n, (a, b) in pairs]
    return keys[0].public, steps, rotation.revoke(ALICE, keys[3], 4, TS + 9).revoked


def rotation_seeds() -> list[bytes]:
    _, steps, revoked = chain_of()
    said = [
        KeyHistory(user_id=ALICE, rotations=tuple(steps[:n]), revoked=revoked if n == 3 else None)
        for n in range(4)
    ]
    return [canonical(each) for each in said]


# --- files and profiles -------------------------------------------------------------------------


def take_file(data: bytes) -> None:
    """A manifest, then chunks, a line each: nothing is written outside of the file's size, and
    nothing is complete that is not what its author hashed (M5)."""
    manifest, *chunks = data.split(b"\n")
    table = Table(b"", name="x")
    try:
        start = payloads.parse_as(FileStart, manifest)
        members = json.loads(manifest)
    except (PeerFault, ValueError):
        return
    receiver = table.tried(start, members=members)
    if isinstance(receiver, Broken):
        return
    receiver_size = start.size
    for line in chunks[:20]:
        try:
            writes = receiver.chunk(payloads.parse_as(FileChunk, line), table.ts, table.mono)
        except PeerFault:
            continue
        if isinstance(writes, Broken):
            return
        for write in writes:
            assert isinstance(write, Write)
            assert 0 <= write.offset <= write.offset + len(write.data) <= receiver_size
    ended = receiver.end()
    assert isinstance(ended, Broken | Complete)
    assert isinstance(ended, Complete) is receiver.complete


def file_seeds() -> list[bytes]:
    found = []
    for size, hybrid in ((0, True), (10, True), (10, False), (900, False)):
        start, chunks = Table(file_content(size), hybrid=hybrid).sent()
        found.append(b"\n".join(canonical(each) for each in (start, *chunks)))
    manifests = [c["members"] for c in cases("crypto/content_sig.json") if c["kind"] == "manifest"]
    return found + [json.dumps(members).encode() for members in manifests[:5]]


def take_parcel(data: bytes) -> None:
    """The list of an exported profile, once it is open: files we know, or nothing at all."""
    with contextlib.suppress(Unreadable, ParcelUnreadable):
        listed = parcel.read_manifest(parcel.taker(iter((data,))))
        assert len({entry.name for entry in listed.files}) == len(listed.files)
        assert not any("/" in entry.name or entry.size < 0 for entry in listed.files)


def parcel_seeds() -> list[bytes]:
    files = [("socp.db", 4096), ("key.pem", 100), ("key.v1.pem", 3)]
    return [parcel.manifest_head(bytes(32), files[:n]) + b"rest" for n in (2, 3)]


def take_choices(data: bytes) -> None:
    """How one wants the screen, or the place to mend."""
    with contextlib.suppress(BadChoices):
        choices_file.read(put("tui.toml", data))


def choice_seeds() -> list[bytes]:
    return [
        b'theme = "light"\nnotify = "osc777"\n\n[keys]\njump = "ctrl+j"\n',
        b'theme = "dark"\n# as usual\n',
        b'keys = {jump = "f9"}\n',
        b"theme = [[[1]], {a = {b = 1979-05-27T07:32:00Z}}]\n",
    ]


def take_config(data: bytes) -> None:
    """A server's `--config`, or one line that says what is wrong."""
    try:
        flags.parse(("--config", str(put("socp.toml", data))))
    except StartFault as fault:
        assert "\n" not in str(fault)  # noqa: PT017 - the line is what is judged


def config_seeds() -> list[bytes]:
    return [
        b'port = 9001\nfederation = "open"\nbootstrap = ["wss://a.example:8001"]\n',
        b'ephemeral = true\nallow-host = ["a", "b"]\ntrusted-proxy = ["10.0.0.0/8"]\n',
        b'log-level = "trace"\nadvertise = "b.example:80"\nmailbox-days = 3\n',
    ]


def take_tries(data: bytes) -> None:
    """How many wrong passphrases there were; what is damaged keeps nobody from trying."""
    path = put(tries.TRIES_FILE, data)
    with contextlib.suppress(KeyFileError):
        assert 0 <= tries.wait_ms(path.parent, TS) <= tries.WAIT_MS_MAX


def tries_seeds() -> list[bytes]:
    return [b'{"wrong":3,"last_ms":1760000000000}', b'{"wrong":1}', b""]


# --- sockets ------------------------------------------------------------------------------------


def take_websocket(data: bytes) -> None:
    """Bytes of a WebSocket: passed on, or one breach; never more than a bound is kept."""
    for piece in (1, 7, 0):
        scene = Scene()
        scene.feed(data, piece)
        assert len(scene.breaches) <= 1
        assert data.startswith(scene.reader.fed)


def websocket_seeds() -> list[bytes]:
    whole = masked(1, b"hello")
    return [whole, masked(1, b"x" * 200) + masked(9, b""), masked(1, b"a", final=False) + whole]


TARGETS: dict[str, Target] = {
    "frames": Target(take_frame, frame_seeds),
    "json": Target(take_json, json_seeds),
    "content": Target(take_content, content_seeds),
    "texts": Target(take_text, text_seeds, 400),
    "keys": Target(take_key, key_seeds, limits.KEY_TEXT_CHARS + 10),
    "key-file": Target(take_key_file, key_file_seeds, 20_000),
    "vault-file": Target(take_vault_file, vault_file_seeds),
    "rotations": Target(take_rotations, rotation_seeds, 16_000),
    "files": Target(take_file, file_seeds, 16_000),
    "parcel": Target(take_parcel, parcel_seeds),
    "choices": Target(take_choices, choice_seeds),
    "config": Target(take_config, config_seeds),
    "tries": Target(take_tries, tries_seeds),
    "websocket": Target(take_websocket, websocket_seeds),
    "http": Target(http_door.take, http_door.seeds, 8192),
}


def corpus(name: str) -> list[bytes]:
    """What was found interesting before, and what once broke a law."""
    return [file.read_bytes() for file in sorted((CORPUS / name).glob("*"))]
