"""Collects the effects of one event, and builds our own frames so that they are bound and signed
as each link needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from socp.crypto.fast_sig import OwnSession
from socp.node.effects import Close, Effect, Level, Note, Outgoing, Persist, Relay, Send
from socp.node.events import LinkId, Now
from socp.node.links import Link
from socp.node.records import Record
from socp.wire.bind import bound
from socp.wire.hop import is_hop
from socp.wire.ids import EVERYONE
from socp.wire.payloads import Ack, Payload, members_bytes


class Emitter:
    """The mouth of the brain. `effects` is taken and emptied after each event."""

    def __init__(self, server_id: str) -> None:
        self.server_id = server_id
        self._effects: list[Effect] = []
        self._owed: Callable[[Effect], Iterable[Effect]] = lambda _effect: ()

    def heed(self, owed: Callable[[Effect], Iterable[Effect]]) -> None:
        """`owed`: what has to be said before an effect."""
        self._owed = owed

    def take(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects

    def add(self, effect: Effect) -> None:
        self._effects.extend(self._owed(effect))
        self._effects.append(effect)

    def frame(
        self,
        payload: Payload,
        *,
        to: str,
        ts: int,
        bind: bool,
        proofs: tuple[tuple[str, bytes], ...] = (),
        signed: bool = True,
        fast: OwnSession | None = None,
        from_: str = "",
        in_turn: bool = False,
        lasting: bool = False,
    ) -> Outgoing:
        """A frame of ours; `bind` fills `bind/1` with the envelope's own members; `fast` signs
        where the frame goes no further; `lasting`: the payload is the same for all."""
        kind, author = type(payload).TYPE, from_ or self.server_id
        if bind:
            payload = bound(payload, type=kind, from_=author, to=to, ts=ts)
        return Outgoing(
            type=kind,
            from_=author,
            to=to,
            ts=ts,
            payload=members_bytes(payload),
            proofs=proofs,
            signed=signed,
            in_turn=in_turn,
            lasting=lasting,
            fast=fast if is_hop(kind) else None,
            promise=isinstance(payload, Ack) and bool(payload.status),
        )

    def say(
        self,
        link: Link,
        payload: Payload,
        now: Now,
        *,
        ts: int | None = None,
        proofs: tuple[tuple[str, bytes], ...] = (),
        signed: bool = True,
        lasting: bool = False,
    ) -> None:
        """Send `payload` to the peer of `link`, from us, at `ts` (now where it is None)."""
        frame = self.frame(
            payload,
            to=link.peer or EVERYONE,
            ts=now.wall if ts is None else ts,
            bind=link.bound and signed,
            proofs=proofs,
            signed=signed,
            fast=link.fast,
            lasting=lasting and not (link.bound or proofs),
        )
        self.send((link.id,), frame)

    def send(self, links: Iterable[LinkId], frame: Outgoing) -> None:
        targets = tuple(links)
        if targets:
            self.add(Send(targets, frame))

    def spread(self, links: Iterable[Link], frame: Outgoing) -> None:
        """One frame of a hop on many links: signed once with our session key, for those that know
        it, and once with our own for all others."""
        slow: list[LinkId] = []
        groups: dict[int, tuple[OwnSession, list[LinkId]]] = {}
        for link in links:
            fast = link.fast
            if fast is None:
                slow.append(link.id)
            else:
                groups.setdefault(id(fast), (fast, []))[1].append(link.id)
        self.send(slow, frame)
        for fast, targets in groups.values():
            self.send(targets, replace(frame, fast=fast))

    def relay(self, links: Iterable[LinkId], data: bytes) -> None:
        targets = tuple(links)
        if targets:
            self.add(Relay(targets, data))

    def persist(self, record: Record) -> None:
        self.add(Persist(record))

    def close(self, link: Link, code: int, reason: str) -> None:
        self.add(Close(link.id, code, reason[:120]))

    def info(self, logger: str, text: str) -> None:
        self.add(Note(Level.INFO, logger, text))

    def warn(self, logger: str, text: str) -> None:
        self.add(Note(Level.WARNING, logger, text))

    def debug(self, logger: str, text: str) -> None:
        self.add(Note(Level.DEBUG, logger, text))
