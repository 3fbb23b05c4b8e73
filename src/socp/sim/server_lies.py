"""What a server gone bad does, each a row of threats.md (I3, I4, M1, M2, M4, M14, S6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from socp.crypto import content_sig, hybrid
from socp.crypto.keys import PrivateKey
from socp.sim.bad_server import BadServer, garbled, receipt_of, swallowed
from socp.sim.dice import Dice
from socp.sim.frames import frame
from socp.sim.ids import an_id
from socp.sim.network import Wire
from socp.sim.pose import Pose
from socp.sim.server import Server
from socp.sim.signer import Bend
from socp.sim.story import Happening, Kind
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import base64url
from socp.wire.content import Place, Text, encode
from socp.wire.envelope import Envelope, decode, reencode
from socp.wire.payloads import TYPES

Undo = Callable[[], None]
Lie = Callable[[BadServer, Happening, Dice], Undo | None]

RETYPED: Final = 5
REPLAYED: Final = 30
GHOSTS_MAX: Final = 120
CODES: Final = ("USER_NOT_FOUND", "NOT_ALLOWED", "BAD_KEY", "BAD_FRAME", "TIMEOUT", "TOO_LARGE")
PRESENCE_MS: Final = (-60_000, 0, 0, 1_000, 240_000, 240_000, 600_000)
"""From now: late, timely, ahead as far as is believed, and further."""
FAR_MS: Final = (-600_000, -60_000, -1_000, 1_000, 60_000, 240_000, 600_000)


class ServerLies:
    """`table`: what is done for which kind; as in Deeds, each gives back how to end it."""

    table: dict[Kind, Callable[[Happening], Undo | None]]

    def __init__(self, world: World, servers: Sequence[Server], users: Sequence[User]) -> None:
        self._world = world
        self._network = world.network
        self._servers = servers
        self._users = users
        lies: dict[Kind, Lie] = {
            Kind.CLAIM: self._claim,
            Kind.DISMISS: self._dismiss,
            Kind.POSE: self._pose,
            Kind.RETYPE: self._retype,
            Kind.REPLAY: self._replay,
            Kind.GHOSTS: self._ghosts,
            Kind.ECHO: self._echo,
            Kind.GARBLE: self._garble,
            Kind.SWALLOW: self._swallow,
            Kind.FORGE: self._forge,
            Kind.FALSE_ACK: self._false_ack,
        }
        self.table = {kind: partial(self._lie, lie) for kind, lie in lies.items()}

    def _lie(self, lie: Lie, told: Happening) -> Undo | None:
        server = self._servers[told.who % len(self._servers)]
        assert isinstance(server, BadServer)
        if not server.up or self._network.weather.pauses.stands_still(server):
            return None
        return lie(server, told, Dice(told.much))

    # --- about whom, and to whom ----------------------------------------------------------------

    def _user(self, number: int) -> User:
        return self._users[number % len(self._users)]

    def _home(self, user: User) -> Server:
        return next(each for each in self._servers if each.address == user.address)

    def _wires(self, server: BadServer, kind: type = object) -> list[Wire]:
        """The open ones, of all, or of those with servers or with users."""
        wires = self._network.wires_of(server)
        return [wire for wire in wires if isinstance(_other_end(wire, server), kind)]

    def _say(self, server: BadServer, wires: Iterable[Wire], data: bytes) -> None:
        for wire in wires:
            wire.send(server, data)

    def _some(self, server: BadServer, dice: Dice, count: int) -> list[Envelope]:
        """Frames of its tape."""
        if not server.tape:
            return []
        return [decode(dice.one_of(server.tape)) for _ in range(count)]

    # --- I3: users of others --------------------------------------------------------------------

    def _claim(self, server: BadServer, told: Happening, dice: Dice) -> Undo:
        user = whom(self._users, told.other, dice)
        home = self._home(user)
        key = dice.one_of((user.key, user.key, user.key, server.key)).public.text
        members: dict[str, object] = {
            "user_id": user.id,
            "meta": {"display_name": user.name, "pubkey": key},
            "pubkey": key,
        }
        true = self._true_advert(server, user)
        if true is not None and dice.below(2):
            members |= {name: true[name] for name in ("features", "attach") if name in true}
        self._presence(server, "USER_ADVERTISE", members, home, dice)
        server.robs.append(user.id)
        return lambda: server.robs.remove(user.id)

    def _true_advert(self, server: BadServer, user: User) -> dict[str, object] | None:
        for data in reversed(server.tape):
            if user.id.encode() in data and data.startswith(b'{"type":"USER_ADVERTISE"'):
                return decode(data).members
        return None

    def _dismiss(self, server: BadServer, told: Happening, dice: Dice) -> None:
        user = self._user(told.other)
        members: dict[str, object] = {"user_id": user.id}
        self._presence(server, "USER_REMOVE", members, self._home(user), dice)

    def _presence(
        self,
        server: BadServer,
        kind: str,
        members: dict[str, object],
        home: Server,
        dice: Dice,
    ) -> None:
        """In its own name, in the home's, or in one about the other's user."""
        names = ((server, server), (server, server), (home, home), (server, home), (home, server))
        origin, place = dice.one_of(names)
        data = frame(
            kind,
            members | {"server_id": place.id},
            from_=origin.id,
            ts=server.wall + dice.one_of(PRESENCE_MS),
            key=server.key,
            bind=bool(dice.below(8)),
        )
        self._say(server, self._wires(server), data)

    # --- I4: another server ---------------------------------------------------------------------

    def _pose(self, server: BadServer, told: Happening, dice: Dice) -> None:
        posed, target = dice.two_below(len(self._servers))
        if server not in (self._servers[posed], self._servers[target]):
            hellos = [data for data in server.tape if data.startswith(b'{"type":"SERVER_HELLO')]
            pose = Pose(self._world, server.key, dice)
            pose.as_server(self._servers[posed], self._servers[target], hellos)

    # --- M1, M2: what was said truly ------------------------------------------------------------

    def _retype(self, server: BadServer, told: Happening, dice: Dice) -> None:
        wires = self._wires(server)
        ids = [user.id for user in self._users] + [each.id for each in self._servers]
        for heard in self._some(server, dice, RETYPED if wires else 0):
            name, value = dice.one_of(
                (
                    ("type", dice.one_of(sorted(TYPES))),
                    ("to", dice.one_of(ids)),
                    ("from_", dice.one_of(ids)),
                    ("ts", heard.ts + dice.one_of(FAR_MS)),
                )
            )
            members = {each: getattr(heard, each) for each in heard.__struct_fields__}
            self._say(server, [dice.one_of(wires)], reencode(Envelope(**members | {name: value})))

    def _replay(self, server: BadServer, told: Happening, dice: Dice) -> None:
        wires = self._wires(server)
        for _ in range(REPLAYED if wires and server.tape else 0):
            self._say(server, [dice.one_of(wires)], dice.one_of(server.tape))

    # --- S6: storms -----------------------------------------------------------------------------

    def _ghosts(self, server: BadServer, told: Happening, dice: Dice) -> None:
        origin = dice.one_of((server, server, *self._servers))
        modern = ["hybrid/1", "content/1", "bind/1", "link-auth/1", "mailbox/1"]
        wires = self._wires(server, Server)
        for number in range(dice.between(10, GHOSTS_MAX)):
            key = self._world.suite.generate().public.text
            place = {"user_id": an_id(f"ghost {told.much} {number}"), "server_id": origin.id}
            advert = {**place, "pubkey": key, "meta": {"display_name": f"ghost {number}"}}
            if number % 2:
                advert["features"] = modern
            for kind, members in (("USER_ADVERTISE", advert), ("USER_REMOVE", place)):
                ts = server.wall + (kind == "USER_REMOVE")
                data = frame(kind, members, from_=origin.id, ts=ts, key=server.key, bind=True)
                if kind == "USER_ADVERTISE" or dice.below(2):
                    self._say(server, wires, data)

    def _echo(self, server: BadServer, told: Happening, dice: Dice) -> Undo | None:
        if server.echoes:
            return None
        server.echoes = True
        return lambda: setattr(server, "echoes", False)

    # --- what it carries ------------------------------------------------------------------------

    def _garble(self, server: BadServer, told: Happening, dice: Dice) -> Undo | None:
        return self._bend(server, garbled)

    def _swallow(self, server: BadServer, told: Happening, dice: Dice) -> Undo | None:
        end = self._bend(server, swallowed)
        if end is None:
            return None
        server.robs.append("")

        def over() -> None:
            end()
            server.robs.remove("")

        return over

    @staticmethod
    def _bend(server: BadServer, bend: Bend) -> Undo | None:
        if server.bend is not None:
            return None
        server.bend = bend
        return lambda: setattr(server, "bend", None)

    def _forge(self, server: BadServer, told: Happening, dice: Dice) -> None:
        author = self._user(told.other)
        for wire in self._wires(server):
            end = _other_end(wire, server)
            if isinstance(end, User):
                reader, kind, to = end, "USER_DELIVER", end.id
            elif isinstance(end, Server):
                at_it = [user for user in self._users if user.address == end.address]
                if not at_it:
                    continue
                reader, kind, to = dice.one_of(at_it), "SERVER_DELIVER", end.id
            else:
                continue
            ts = server.wall + dice.one_of((-1_000, 0, 0))
            members = in_the_name_of(self._world, author, reader, server.key, ts, dice)
            members |= {"user_id": reader.id} if kind == "SERVER_DELIVER" else {}
            members |= {"queued": True} if dice.below(2) else {}
            from_ = dice.one_of((server, server, self._home(author))).id
            data = frame(kind, members, from_=from_, to=to, ts=ts, key=server.key, bind=True)
            wire.send(server, data)

    def _false_ack(self, server: BadServer, told: Happening, dice: Dice) -> None:
        for data in tuple(server.tape):
            members = receipt_of(decode(data))
            if members is None:
                continue
            kind = dice.one_of(("ACK", "ACK", "ERROR"))
            if kind == "ACK":
                members["status"] = dice.one_of(("delivered", "delivered", "queued", "refused"))
            else:
                away = dice.one_of(self._servers).id
                members |= {"code": dice.one_of(CODES), "detail": "no", "moved_to": away}
            ts = server.wall
            said = frame(kind, members, from_=server.id, ts=ts, key=server.key, bind=True)
            self._say(server, self._wires(server), said)


def whom(users: Sequence[User], number: int, dice: Dice) -> User:
    """This user, or in every second case the next one who is away: they cannot object."""
    at = number % len(users)
    if dice.below(2):
        others = (*users[at:], *users[:at])
        return next((user for user in others if user.wire is None), users[at])
    return users[at]


def in_the_name_of(
    world: World, author: User, reader: User, key: PrivateKey, ts: int, dice: Dice
) -> dict[str, object]:
    """A message that `author` never wrote, sealed for `reader`, signed by `key`."""
    place = Place(run="f" * 16, seq=dice.between(1, 9), prev="")
    plain = encode(Text(body=f"forged {dice.bits()}"), place)
    sealed = hybrid.seal(
        world.suite, reader.key.public, plain, from_=author.id, to=reader.id, ts=ts
    )
    return {
        "ciphertext": base64url.encode(sealed),
        "sender": author.id,
        "sender_pub": dice.one_of((author.key, key)).public.text,
        "content_sig": content_sig.sign_direct(key, sealed, author.id, reader.id, ts),
        "orig_ts": ts,
    }


def _other_end(wire: Wire, server: Server) -> object:
    return wire.far if wire.near is server else wire.near
