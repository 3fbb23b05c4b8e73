"""What a user gone bad does to their server, and by it to others (I1, I2, M3 to M5, M10, S3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from socp.channel import shares
from socp.channel.keyring import HeldKey
from socp.crypto import channel_box, content_sig
from socp.sim.bad_server import sealed_part
from socp.sim.dice import Dice
from socp.sim.frames import frame
from socp.sim.ids import an_id
from socp.sim.pose import Pose
from socp.sim.server import Server
from socp.sim.server_lies import in_the_name_of, whom
from socp.sim.story import Happening, Kind
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import base64url, limits
from socp.wire.canonical import to_members
from socp.wire.envelope import decode
from socp.wire.ids import PUBLIC

Lie = Callable[[User, Happening, Dice], None]

TAPE_FRAMES: Final = 200
REPLAYED: Final = 10
FLOOD_FRAMES: Final = 400
NAMES: Final = ("../../.profile", "/etc/passwd", "..", "a\x00b", "CON", "x" * 1024, "\u202egpj.exe")


class UserLies:
    """`table`: what is done for which kind. `watch` them from when they come."""

    table: dict[Kind, Callable[[Happening], None]]

    def __init__(self, world: World, servers: Sequence[Server], users: Sequence[User]) -> None:
        self._world = world
        self._servers = servers
        self._users = users
        self._tapes: dict[str, deque[bytes]] = {}
        lies: dict[Kind, Lie] = {
            Kind.USER_FORGE: self._forge,
            Kind.USER_REPLAY: self._replay,
            Kind.STEAL_ID: self._steal_id,
            Kind.SHARE_LIE: self._share_lie,
            Kind.FLOOD: self._flood,
            Kind.USER_GARBLE: self._garble,
            Kind.USER_ACK: self._ack,
            Kind.HOSTILE_FILE: self._hostile_file,
        }
        self.table = {kind: partial(self._lie, lie) for kind, lie in lies.items()}

    def watch(self, user: User) -> None:
        """Remember what they say and hear on each link from the next on."""
        tape = self._tapes[user.id] = deque(maxlen=TAPE_FRAMES)

        def tap(data: bytes) -> Iterable[bytes]:
            tape.append(data)
            return (data,)

        user.up_tap = user.down_tap = tap

    def _lie(self, lie: Lie, told: Happening) -> None:
        user = self._user(told.who)
        still = self._world.network.weather.pauses.stands_still(user)
        if user.up and user.wire is not None and not still:
            lie(user, told, Dice(told.much))

    def _user(self, number: int) -> User:
        return self._users[number % len(self._users)]

    def _say(
        self,
        user: User,
        kind: str,
        members: dict[str, object],
        *,
        to: str,
        from_: str = "",
        ts: int = 0,
    ) -> None:
        if user.wire is not None:
            now = self._world.wall + user.skew_ms
            data = frame(
                kind, members, from_=from_ or user.id, to=to, ts=ts or now, key=user.key, bind=True
            )
            user.wire.send(user, data)

    # --- words ----------------------------------------------------------------------------------

    def _forge(self, user: User, told: Happening, dice: Dice) -> None:
        author, reader = self._user(told.other), self._user(dice.below(len(self._users)))
        ts = self._world.wall
        words = in_the_name_of(self._world, author, reader, user.key, ts, dice)
        del words["orig_ts"]
        for from_ in (user.id, author.id):
            self._say(user, "MSG_DIRECT", words, to=reader.id, from_=from_, ts=ts)
            self._say(user, "MSG_PUBLIC_CHANNEL", words, to=PUBLIC, from_=from_, ts=ts)

    def _replay(self, user: User, told: Happening, dice: Dice) -> None:
        """Byte for byte, and others' ciphertexts under the own signature (M3, M4)."""
        ts = self._world.wall
        for data in _some(self._tapes[user.id], dice, REPLAYED):
            assert user.wire is not None
            user.wire.send(user, data)
            raw, reader = sealed_part(decode(data)), self._user(dice.below(len(self._users)))
            if raw is None:
                continue
            sig = content_sig.sign_direct(user.key, raw, user.id, reader.id, ts)
            words: dict[str, object] = {
                "ciphertext": base64url.encode(raw),
                "sender_pub": user.key.public.text,
                "content_sig": sig,
            }
            self._say(user, "MSG_DIRECT", words, to=reader.id, ts=ts)

    def _garble(self, user: User, told: Happening, dice: Dice) -> None:
        reader, ts = self._user(told.other), self._world.wall
        raw = self._world.suite.random(dice.one_of((1, 512, 700)))
        right = content_sig.sign_direct(user.key, raw, user.id, reader.id, ts)
        for sig in (right, right[:-4] + "AAAA", "", "%"):
            words: dict[str, object] = {
                "ciphertext": base64url.encode(raw),
                "sender_pub": user.key.public.text,
                "content_sig": sig,
            }
            self._say(user, "MSG_DIRECT", words, to=reader.id, ts=ts)
            self._say(user, "MSG_PUBLIC_CHANNEL", words, to=PUBLIC, ts=ts)

    def _ack(self, user: User, told: Happening, dice: Dice) -> None:
        for data in tuple(self._tapes[user.id]):
            members = decode(data).members
            if "msg_ref" in members:
                ack = {"msg_ref": members["msg_ref"], "status": "delivered"}
                self._say(user, "ACK", ack, to=self._user(told.other).id)

    # --- names and keys -------------------------------------------------------------------------

    def _steal_id(self, user: User, told: Happening, dice: Dice) -> None:
        posed = whom(self._users, told.other, dice)
        home = next(each for each in self._servers if each.address == posed.address)
        target = dice.one_of((home, *self._servers))
        if posed is not user:
            Pose(self._world, user.key, dice).as_user(posed, target)

    def _share_lie(self, user: User, told: Happening, dice: Dice) -> None:
        suite, reader = self._world.suite, self._user(told.other)
        version = dice.one_of((2, 3, 999, 1_500, 10**6, limits.INTEGER_MAX - 1))
        private, group_key = suite.generate(), channel_box.new_group_key(suite)
        box = channel_box.seal_private(suite, group_key, private, version)
        key = HeldKey(version, private.public, private, group_key, box, user.id)
        members = to_members(shares.make(user.key, reader.id, reader.key.public, key))
        lie = dice.below(4)
        if lie == 0:
            members["creator_pub"] = self._user(dice.below(len(self._users))).key.public.text
        elif lie == 1:
            members["channel_pub"] = suite.generate().public.text
        elif lie == 2:
            members["content_sig"] = str(members["content_sig"])[:-4] + "AAAA"
        else:
            members["version"] = version + 1
        self._say(user, "PUBLIC_CHANNEL_KEY_SHARE", members, to="*")

    # --- much of it -----------------------------------------------------------------------------

    def _flood(self, user: User, told: Happening, dice: Dice) -> None:
        to = self._user(told.other)
        for number in range(FLOOD_FRAMES):
            whose = an_id(f"nobody {number}")
            frames: tuple[tuple[str, dict[str, object]], ...] = (
                ("LIST_REQUEST", {}),
                ("PUBKEY_REQUEST", {"user_id": whose}),
                ("PRESENCE_WATCH", {"users": [whose]}),
                ("ERROR", {"code": "TIMEOUT", "detail": "flood"}),
                ("NOTHING_KNOWN", {"number": number}),
                ("MSG_DIRECT", {"ciphertext": "AA", "sender_pub": "", "content_sig": ""}),
            )
            kind, members = dice.one_of(frames)
            self._say(user, kind, members, to=to.id)

    def _hostile_file(self, user: User, told: Happening, dice: Dice) -> None:
        reader, file_id = self._user(told.other), an_id(f"file {told.much}")
        ts = self._world.wall
        manifest: dict[str, object] = {
            "file_id": file_id,
            "name": dice.one_of(NAMES),
            "size": dice.one_of((0, 1, 5_000, 1_000_000, limits.FILE_BYTES + 1, 2**53 - 1)),
            "sha256": "0" * 64,
            "mode": dice.one_of(("dm", "public", "")),
            "total": dice.one_of((0, 1, 13, 10**9)),
            "sender_pub": user.key.public.text,
        }
        if dice.below(2):
            manifest |= {
                "wrapped_key": base64url.encode(reader.key.public.seal(bytes(32))),
                "chunk_bytes": dice.one_of((1, limits.FILE_CHUNK_BYTES, 2**40)),
                "chunk_hashes": base64url.encode(bytes(32)),
            }
        sig = content_sig.sign_manifest(user.key, manifest, user.id, reader.id, ts)
        manifest["content_sig"] = sig
        self._say(user, "FILE_START", manifest, to=reader.id, ts=ts)
        for index, said in ((0, 0), (2, 2), (1, 1), (3, 10**6), (4, 0)):
            raw = self._world.suite.random(512)
            chunk: dict[str, object] = {
                "file_id": file_id,
                "index": said,
                "ciphertext": base64url.encode(raw),
                "total": 13,
                "sender_pub": user.key.public.text,
            }
            chunk["content_sig"] = content_sig.sign_chunk(
                user.key, raw, user.id, reader.id, ts, file_id, index, 13
            )
            self._say(user, "FILE_CHUNK", chunk, to=reader.id, ts=ts)
        if dice.below(2):
            self._say(user, "FILE_END", {"file_id": file_id}, to=reader.id, ts=ts)


def _some(tape: deque[bytes], dice: Dice, count: int) -> list[bytes]:
    """So many of its frames, drawn anew each time; none of an empty one."""
    return [dice.one_of(tape) for _ in range(count if tape else 0)]
