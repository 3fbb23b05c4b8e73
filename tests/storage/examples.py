"""Records as the brains make them, for every test of the room."""

from __future__ import annotations

from dataclasses import replace

from socp.crypto.rotation import KeyStep, Revocation
from socp.crypto.vault import Vault
from socp.member import records as member
from socp.member.draft import Draft, KeptDraft
from socp.node import records as node
from socp.storage.profile_rows import Kept
from socp.wire.content import Place
from socp.wire.ids import PUBLIC

ALICE = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
SERVER = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
NOW = 1_700_000_000_000

ACCOUNT = node.Account(
    user_id=ALICE,
    pubkey="MIIalice",
    version=1,
    local=True,
    proven=True,
    features=("bind/1", "link-auth/1"),
    display_name="Alice Ærlig 🙂",
    pinned_ms=NOW,
)
PIN = node.ServerPin(
    server_id=SERVER,
    pubkey="MIIserver",
    host="chat.example.org",
    port=8001,
    origin=node.PinOrigin.BOOTSTRAP,
    features=(),
    pinned_ms=NOW,
)
RULING = node.Ruling("ab" * 32, node.Verdict.BANNED, NOW)
HOME = node.Home(ALICE, SERVER, NOW)
SHARE = node.ChannelShare(ALICE, 3, "wrapped", BOB, b'{"type":"PUBLIC_CHANNEL_KEY_SHARE"}')
MAIL = node.Mail(
    seq=3,
    user_id=ALICE,
    msg_ref="m" * 43,
    part=0,
    sender=BOB,
    kind="MSG_DIRECT",
    ts=NOW,
    payload=b'{"ciphertext":"\xc3\xa6"}',
    via="",
    attach_ts=NOW - 1,
    stored_ms=NOW,
)
POST = node.Post(
    seq=4, msg_ref="p" * 43, author=ALICE, ts=NOW, payload=b"{}", via="", stored_ms=NOW
)
STEPS = tuple(
    KeyStep(ALICE, n, f"MIIalice{n}", NOW + n, "sig" * (n > 1), "new" * (n > 1), "fp" * (n > 1))
    for n in range(1, 4)
)
REVOCATION = Revocation(BOB, "MIIbob", 2, NOW, "sig")
BARRED = node.Barred(BOB, NOW)
NODE_RECORDS: tuple[node.Record, ...] = (
    ACCOUNT,
    PIN,
    RULING,
    HOME,
    SHARE,
    node.ChannelVersion(3),
    *STEPS,
    REVOCATION,
    BARRED,
)

CONTACT = member.Contact(
    user_id=BOB,
    pubkey="MIIbob",
    display_name="Bob",
    features=("hybrid/1",),
    attach_ts=NOW,
    verified=True,
    from_directory=False,
    content_form="raw",
    refused_key="cd" * 32,
    first_seen_ms=NOW,
)
KNOWN_SERVER = member.KnownServer(SERVER, "MIIserver", "ws://localhost:8001", ("bind/1",), NOW)
SEEN = member.Seen("r" * 43, b"\x00\xff" * 16, BOB, NOW)
LINE = member.OutboxLine(
    line_id=7,
    to=PUBLIC,
    text="hello\nyou 🙂",
    state=member.LineState.SENT,
    frames=(b'{"n":1}', b"\xff\x00"),
    msg_refs=("a" * 43, "b" * 43),
    composed_ms=NOW,
    reason="",
    late=True,
    sealed_to="hybrid/1 " + "ef" * 32,
)
ARRIVED = member.Arrived(3, "r" * 43, BOB, "hello\nyou 🙂", NOW, "pinned", True, False)
CHANNEL_KEY = member.ChannelKey(2, "ef" * 32, "MIIchannel", b"\x30private", b"k" * 32, "box", BOB)
SPOKEN = replace(
    LINE, kind="edit", body=b'{"kind":"edit"}', place=Place("ab" * 8, 3, "a" * 43), quiet=True
)
NUMBERED = member.Numbered(BOB, "ab" * 8, 3, "a" * 43)
SENT_LINE = member.SentLine(BOB, "ab" * 8, 3, SPOKEN)
SHELF = member.Shelf(BOB, "ab" * 8, ((20_000, 1), (20_001, 3)), 3)
THREAD = member.Thread(
    BOB, False, "cd" * 8, 9, NOW, (member.Gap(2, 4, NOW - 9, NOW - 5),), b"\x00" * 32, NOW
)
OUTGOING = member.OutgoingFile(
    file_id=ALICE,
    to=BOB,
    name="plan \U0001f642.txt",
    path="/home/alice/plan.txt",
    size=3,
    modified_ns=7,
    sha256="ab" * 32,
    chunk_hashes=b"h" * 32,
    file_key=b"f" * 32,
    offered_ms=NOW,
    said=4,
    stage=member.FileStage.OPEN,
)
INCOMING = member.IncomingFile(BOB, ALICE, "plan.txt", 3, "ab" * 16, NOW, member.FileStage.REFUSED)
DRAFT = KeptDraft(BOB, Draft("half of the secret plan", "d" * 43, quote='your "schnitzel"'), NOW)
MEMBER_RECORDS: tuple[Kept, ...] = (
    CONTACT,
    KNOWN_SERVER,
    SEEN,
    LINE,
    CHANNEL_KEY,
    *STEPS,
    REVOCATION,
    ARRIVED,
    NUMBERED,
    SENT_LINE,
    SHELF,
    THREAD,
    OUTGOING,
    INCOMING,
    DRAFT,
)
SETTINGS = member.Settings(ALICE, "Alice Ærlig 🙂", "ws://localhost:8001", run="ab" * 8)
VAULT = Vault(bytes(range(32)))


def a_vault() -> Vault:
    """Every profile of these tests is sealed with the same key."""
    return VAULT
