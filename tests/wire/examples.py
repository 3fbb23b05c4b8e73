"""One example of every payload, and the envelope around it."""

from __future__ import annotations

from socp.wire.envelope import Envelope
from socp.wire.payloads import (
    Ack,
    Attach,
    AuthChallenge,
    AuthProof,
    ClientRow,
    CtrlClose,
    Error,
    FileChunk,
    FileEnd,
    FileStart,
    Heartbeat,
    KeyHistory,
    KeyRevoke,
    KeyRotate,
    ListRequest,
    MsgDirect,
    MsgPublicChannel,
    OnlineRow,
    Payload,
    PresenceSync,
    PresenceWatch,
    PubkeyRequest,
    PubkeyResponse,
    PublicChannelAdd,
    PublicChannelKeyShare,
    PublicChannelUpdated,
    Revoked,
    Rotation,
    ServerAnnounce,
    ServerDeliver,
    ServerHelloJoin,
    ServerHelloLink,
    ServerRow,
    ServerWelcome,
    Session,
    SessionKey,
    Share,
    UserAdvertise,
    UserDeliver,
    UserHello,
    UserList,
    UserMeta,
    UserRemove,
    Wrap,
    members_bytes,
)

ALICE = "a11ce000-0000-4000-8000-000000000001"
BOB = "b0b00000-0000-4000-8000-000000000002"
CAROL = "ca401000-0000-4000-8000-000000000003"
SERVER = "5e44e400-0000-4000-8000-000000000004"
FILE = "f11e0000-0000-4000-8000-000000000005"
TS = 1_760_000_000_000
KEY = "MIICIjANBgkqhkiG9w0B"
SIG = "c2lnbmF0dXJl"

_META = UserMeta(display_name="Zoë", pubkey=KEY)
_ATTACH = Attach(ts=TS, sig=SIG)

EXAMPLES: tuple[Payload, ...] = (
    ServerHelloJoin(host="localhost", port=8001, pubkey=KEY, features=("bind/1",), auth_nonce="AA"),
    ServerHelloLink(host="::1", port=8001, pubkey=KEY),
    ServerAnnounce(host="localhost", port=8001, pubkey=KEY),
    UserHello(client="socp", pubkey=KEY, enc_pubkey=KEY, meta=_META, auth_nonce="AA"),
    AuthChallenge(nonce="AA", server_id=SERVER, pubkey=KEY, features=("link-auth/1",)),
    AuthProof(proof=SIG, attach=_ATTACH),
    ServerWelcome(
        assigned_id=SERVER,
        clients=(ClientRow(user_id=BOB, host="h", port=1, pubkey=KEY, server_id=SERVER),),
        servers=(ServerRow(server_id=SERVER, host="h", port=1, pubkey=KEY),),
        server_id=SERVER,
        host="h",
        port=1,
        pubkey=KEY,
    ),
    Ack(msg_ref="USER_HELLO", server_id=SERVER, pubkey=KEY, features=("bind/1",)),
    Error(code="USER_NOT_FOUND", detail="nobody here", moved_to=SERVER),
    CtrlClose(),
    Heartbeat(),
    UserAdvertise(user_id=BOB, server_id=SERVER, meta=_META, pubkey=KEY, attach=_ATTACH),
    UserRemove(user_id=BOB, server_id=SERVER),
    PresenceSync(),
    PresenceWatch(users=(ALICE, BOB)),
    ListRequest(),
    UserList(users=(ALICE, BOB), online=(OnlineRow(user_id=ALICE),), more=True),
    PubkeyRequest(user_id=BOB),
    PubkeyResponse(user_id=BOB, pubkey=KEY, version=2, directory_sig=SIG),
    MsgDirect(ciphertext="AA", sender_pub=KEY, content_sig=SIG, sender=ALICE),
    MsgPublicChannel(ciphertext="AA", sender_pub=KEY, content_sig=SIG),
    UserDeliver(ciphertext="AA", sender=ALICE, sender_pub=KEY, content_sig=SIG, orig_ts=TS),
    ServerDeliver(user_id=BOB, sender=ALICE, ciphertext="AA", sender_pub=KEY, content_sig=SIG),
    PublicChannelAdd(add=(BOB,), if_version=3),
    PublicChannelUpdated(version=3, wraps=(Wrap(member_id=BOB, wrapped_key="AA"),)),
    PublicChannelKeyShare(
        shares=(Share(member=BOB, wrapped_public_channel_key="AA"),),
        creator_pub=KEY,
        content_sig=SIG,
        version=3,
        channel_pub=KEY,
        channel_priv_box="AA",
    ),
    FileStart(file_id=FILE, name="a.txt", size=5, sha256="0" * 64, mode="public", total=1),
    FileChunk(file_id=FILE, index=0, ciphertext="AA", total=1),
    FileEnd(file_id=FILE),
    KeyRotate(user_id=BOB, pubkey=KEY, version=2, ts=TS, sig=SIG, new_sig=SIG),
    KeyRevoke(user_id=BOB, version=2, ts=TS, sig=SIG),
    KeyHistory(
        user_id=BOB,
        rotations=(
            Rotation(pubkey=KEY, follows="0f" * 32, version=2, ts=TS, sig=SIG, new_sig=SIG),
        ),
        revoked=Revoked(pubkey=KEY, version=2, ts=TS, sig=SIG),
    ),
    SessionKey(session=Session(key="A" * 43, from_ts=TS, until_ts=TS + 1, sig=SIG)),
)


def envelope(payload: Payload) -> Envelope:
    """`payload` from Alice to Bob."""
    return Envelope(payload.TYPE, ALICE, BOB, TS, members_bytes(payload), SIG)
