"""Whatever is said by whoever in whatever order: the laws that hold at every step."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socp.node.effects import (
    Bundle,
    Close,
    Effect,
    Identified,
    Ping,
    Probe,
    Relay,
    Send,
    Snapshot,
    Throttle,
)
from socp.node.events import Event, FrameReceived, LinkLost, LinkOpened, Now
from socp.wire import base64url
from socp.wire.envelope import encode
from socp.wire.features import PRESENCE, SERVER_FEATURES, USER_FEATURES
from socp.wire.roll import Roll, entry
from tests.node.cast import (
    advert_of,
    attach_of,
    deliver_of,
    hello_of,
    linked_server,
    prove,
    server_socket,
    share_of,
)
from tests.node.mesh import Mesh, Peer, Server, an_id, message

NAMES = ("alice", "bob", "carol")
Members = dict[str, object]


@dataclass
class Watch:
    """Stands between a brain and the mesh, and checks every step."""

    server: Server
    open: set[int] = field(default_factory=set)
    errors_to_acks: int = 0

    def begin(self) -> None:
        handle = self.server.node.handle

        def watched(event: Event, now: Now) -> list[Effect]:
            match event:
                case LinkOpened():
                    self.open.add(event.link)
                case LinkLost():
                    self.open.discard(event.link)
            effects = handle(event, now)  # the first law: it never raises
            for effect in effects:
                assert self.targets(effect) <= self.open, "a frame for a link that is gone"
            if isinstance(event, FrameReceived) and event.envelope.type in ("ACK", "ERROR"):
                said = [e.frame.type for e in effects if isinstance(e, Send) and e.links]
                if event.link in {x for e in effects for x in self.targets(e)}:
                    assert "ERROR" not in said or self.passed_on(effects, event.link)
            self.laws()
            return effects

        self.server.node.handle = watched  # type: ignore[method-assign]

    @staticmethod
    def passed_on(effects: list[Effect], source: int) -> bool:
        """An ERROR went to others than to whom the frame was from."""
        return all(
            source not in e.links
            for e in effects
            if isinstance(e, Send) and e.frame.type == "ERROR"
        )

    @staticmethod
    def targets(effect: Effect) -> set[int]:
        match effect:
            case Send() | Relay() | Bundle():
                assert len(set(effect.links)) == len(effect.links), "one link named twice"
                return set(effect.links)
            case Snapshot() | Identified() | Close() | Probe() | Ping() | Throttle():
                return {effect.link}
        return set()

    def laws(self) -> None:
        node = self.server.node
        links, places = node._links, node._presence
        assert set(links.all) == self.open
        assert all(link.id in self.open for link in links.users.values())
        assert all(link.id in self.open for link in links.servers.values())
        assert {p.user_id for p in places.here()} == set(links.users), "users where they are"
        for present in places.everyone():
            assert present.server_id == self.server.id or present.server_id in links.servers
        rolls: dict[str, Roll] = {}
        for present in places.everyone():
            roll = rolls.get(present.server_id, Roll())
            rolls[present.server_id] = roll.with_(present.entry)
        assert rolls == places._rolls
        assert len(node._arrivals.newcomers) + len(node._pairing.newcomers) <= len(self.open)
        for user, home in node._directory.homes.items():
            assert user in node._directory.accounts or home.attach_ts == 0


class Play:
    """A mesh of two brains, two servers played by hand, and users who are not always honest."""

    def __init__(self) -> None:
        self.mesh = Mesh()
        self.a = self.mesh.server("a", peers=(8002,))
        self.b = self.mesh.server("b", port=8002, peers=(8001,))
        for server in (self.a, self.b):
            Watch(server).begin()
        self.mesh.run(3)
        self.keys = {name: self.mesh.suite.generate() for name in NAMES}
        self.server_keys = {n: self.mesh.suite.generate() for n in ("m", "p")}
        self.peers: list[Peer] = [
            linked_server(self.mesh, self.a, "m", key=self.server_keys["m"]),
            linked_server(
                self.mesh, self.b, "p", key=self.server_keys["p"], features=(), port=9010
            ),
        ]
        self.attached: dict[str, int] = {}

    def step(self, draw: st.DataObject) -> None:
        act = draw.draw(st.sampled_from(ACTS))
        act(self, draw)

    def pick(self, draw: st.DataObject) -> Peer:
        return draw.draw(st.sampled_from(self.peers))

    def user_comes(self, draw: st.DataObject) -> None:
        name = draw.draw(st.sampled_from(NAMES))
        server = draw.draw(st.sampled_from((self.a, self.b)))
        features = draw.draw(st.sampled_from(((), USER_FEATURES, ("link-auth/1", PRESENCE))))
        key = self.keys[name] if draw.draw(st.integers(0, 4)) else self.mesh.suite.generate()
        attach_ts = self.mesh.wall + draw.draw(st.sampled_from((0, -5_000, 5_000, 999_999)))
        peer = self.mesh.user(server, name, key=key, features=features, attach_ts=attach_ts)
        peer.answers_pings = draw.draw(st.booleans())
        self.peers.append(peer)

    def server_comes(self, draw: st.DataObject) -> None:
        name = draw.draw(st.sampled_from(("m", "p", "stranger")))
        server = draw.draw(st.sampled_from((self.a, self.b)))
        features = draw.draw(st.sampled_from(((), SERVER_FEATURES)))
        key = self.server_keys.get(name) or self.mesh.suite.generate()
        hello = draw.draw(
            st.sampled_from(("SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE"))
        )
        peer = server_socket(
            self.mesh, server, name, key=key, features=features, hello=hello, port=8002
        )
        if peer.said("AUTH_CHALLENGE") and not peer.lost and draw.draw(st.booleans()):
            prove(peer)
        self.peers.append(peer)

    def somebody_goes(self, draw: st.DataObject) -> None:
        peer = self.pick(draw)
        peer.drop()
        if len(self.peers) > 2:
            self.peers.remove(peer)

    def time_passes(self, draw: st.DataObject) -> None:
        self.mesh.run(draw.draw(st.sampled_from((0.25, 1, 6, 20, 50))))

    def link_breaks(self, draw: st.DataObject) -> None:
        between = [n for n, w in self.a.wires.items() if isinstance(w, tuple)]
        if between:
            self.mesh.lose(self.a, draw.draw(st.sampled_from(between)), "cable")

    def somebody_speaks(self, draw: st.DataObject) -> None:
        peer = self.pick(draw)
        kind, members = self.said(draw, peer)
        ids = [an_id(n) for n in (*NAMES, "m", "p")] + [self.a.id, self.b.id, peer.id]
        to = draw.draw(st.sampled_from(["public", "*", *ids]))
        keys = [peer.key, peer.key, *self.keys.values(), *self.server_keys.values()]
        peer.say(
            kind,
            members,
            to=to,
            from_=draw.draw(st.sampled_from([peer.id, peer.id, peer.id, *ids])),
            ts=self.mesh.wall + draw.draw(st.sampled_from((0, 0, 1, -1, -400_000, 400_000))),
            bind=draw.draw(st.booleans()),
            sign_with=draw.draw(st.sampled_from(keys)),
            signed=draw.draw(st.integers(0, 5)) > 0,
        )

    def said(self, draw: st.DataObject, peer: Peer) -> tuple[str, Members]:
        """Some frame, made right for somebody."""
        name, other = (draw.draw(st.sampled_from(NAMES)) for _ in range(2))
        user, to = an_id(name), an_id(other)
        servers = [self.a.id, self.b.id, an_id("m"), an_id("p")]
        at, wall = draw.draw(st.sampled_from(servers)), self.mesh.wall
        key = draw.draw(st.sampled_from([self.keys[name], peer.key]))
        stamp = draw.draw(st.sampled_from([None, wall, wall + 1_000]))
        attach = None if stamp is None else attach_of(key, user, at, stamp)
        text = bytes([draw.draw(st.integers(0, 3))]) * 512
        file = {"file_id": an_id(f"f{draw.draw(st.integers(0, 2))}"), "sender": user}
        more: Members = {**file, "user_id": to} if draw.draw(st.booleans()) else {**file}
        roll = Roll().with_(entry(user, key.public.fingerprint, None))
        users = draw.draw(st.sampled_from(({"count": 1, "digest": roll.text}, {"count": 2}, "x")))
        frames: list[tuple[str, Members]] = [
            ("USER_ADVERTISE", advert_of(user, at, key, attach=attach)),
            ("USER_ADVERTISE", advert_of(user, at, None)),
            ("USER_REMOVE", {"user_id": user, "server_id": at}),
            ("SERVER_DELIVER", deliver_of(key, user, to, wall, text=text)),
            ("SERVER_DELIVER", {"sender": user, "user_id": to, "inner_type": "FILE_END", **file}),
            ("MSG_DIRECT", message(peer, to, text)),
            ("MSG_PUBLIC_CHANNEL", message(peer, "public", text)),
            ("PUBLIC_CHANNEL_KEY_SHARE", share_of(peer, user, to, version=len(text) % 7)),
            ("PUBLIC_CHANNEL_ADD", {"add": [user], "if_version": 1}),
            ("PUBLIC_CHANNEL_UPDATED", {"version": draw.draw(st.integers(0, 3_000))}),
            ("FILE_START", {**more, "name": "n", "size": 1, "sha256": "0" * 64}),
            ("FILE_CHUNK", {**more, "index": 0, "ciphertext": base64url.encode(text)}),
            ("FILE_END", more),
            ("LIST_REQUEST", {}),
            ("LIST_REQUEST", {"after": user, "limit": draw.draw(st.integers(0, 3))}),
            ("PRESENCE_WATCH", {"users": draw.draw(st.lists(st.just(user) | st.just(to)))}),
            ("PUBKEY_REQUEST", {"user_id": user}),
            ("PUBKEY_RESPONSE", {"user_id": user, "pubkey": key.public.text}),
            ("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": "x", "moved_to": at}),
            ("ACK", {"msg_ref": "x"}),
            ("HEARTBEAT", {}),
            ("HEARTBEAT", {"links": [at], "users": users}),
            ("PRESENCE_SYNC", {}),
            ("SERVER_ANNOUNCE", hello_of(peer, port=draw.draw(st.integers(8001, 8004)))),
            ("SERVER_HELLO_LINK", hello_of(peer)),
            ("USER_HELLO", {"pubkey": key.public.text}),
            ("AUTH_PROOF", {"proof": "AAAA"}),
            ("SERVER_WELCOME", {"assigned_id": at}),
            ("NO_SUCH", {}),
        ]
        return draw.draw(st.sampled_from(frames))

    def somebody_babbles(self, draw: st.DataObject) -> None:
        peer = self.pick(draw)
        payload = draw.draw(st.sampled_from((b"{}", b'{"user_id":1}', b'{"bind":{}}', b"[]")))
        kind = draw.draw(st.sampled_from(("USER_ADVERTISE", "ERROR", "MSG_DIRECT", "ACK", "x")))
        peer.raw(encode(kind, peer.id, "*", draw.draw(st.integers(0, 2**53)), payload, "!"))
        peer.raw(draw.draw(st.binary(max_size=40)))


ACTS = (
    Play.user_comes,
    Play.user_comes,
    Play.server_comes,
    Play.somebody_goes,
    Play.time_passes,
    Play.link_breaks,
    *[Play.somebody_speaks] * 8,
    Play.somebody_babbles,
)


@pytest.mark.spec("5")
@pytest.mark.threat("S6")
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(draw=st.data(), steps=st.integers(5, 40))
def test_no_sequence_of_frames_breaks_the_laws_of_the_brain(
    draw: st.DataObject, steps: int
) -> None:
    play = Play()
    pins: dict[str, str] = {}
    for _ in range(steps):
        play.step(draw)
        for server in (play.a, play.b):
            for account in server.node._directory.accounts.values():
                key = f"{server.name} {account.user_id}"
                assert pins.setdefault(key, account.pubkey) == account.pubkey, "a pin moved"
    play.mesh.run(60)
    assert play.a.linked() >= {play.b.id}
    assert play.b.linked() >= {play.a.id}
