"""Which servers may link with us, and whose key is whose (section 5, admission)."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from socp.crypto.keys import PublicKey, Suite
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.records import (
    Forgotten,
    PinOrigin,
    Record,
    Remembered,
    Ruling,
    ServerPin,
    Verdict,
)
from socp.node.settings import Federation, Settings
from socp.wire.addresses import BootstrapEntry, HostPort, is_loopback, parse_host_port
from socp.wire.errors import Code, PeerFault
from socp.wire.features import MAILBOX, SECURITY, dropped
from socp.wire.ids import is_uuid4

PINS_MAX = 10_000
REFUSED_KEPT = 256
BEFORE_KEPT = 256  # more words of the operator than can be on their way to the disk
REMEMBERED = SECURITY | {MAILBOX}  # MAILBOX: whether it takes mail, asked while it is not linked
_SERVER_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Refused:
    """A server that was turned away, for `socp admin servers` and `admit`."""

    server_id: str
    fingerprint: str
    address: HostPort | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Before:
    """What a word of the operator replaced, for the case that it cannot be stored."""

    ruling: Ruling | None
    pin: ServerPin | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """The key our own dial saw at an unpinned loopback address; a pin once a proof by it holds."""

    server_id: str
    fingerprint: str


class ServerTrust:
    """Pins, the operator's rulings and the bootstrap list decide; nothing a peer says does."""

    def __init__(
        self, settings: Settings, suite: Suite, emitter: Emitter, remembered: Remembered
    ) -> None:
        self._settings = settings
        self._suite = suite
        self._emit = emitter
        self.pins: dict[str, ServerPin] = {p.server_id: p for p in remembered.pins}
        self.rulings: dict[str, Ruling] = {r.fingerprint: r for r in remembered.rulings}
        self.refused: OrderedDict[str, Refused] = OrderedDict()
        self._candidates: dict[HostPort, Candidate] = {}
        self._before: OrderedDict[Ruling | Forgotten, Before] = OrderedDict()
        self._configured = {e.fingerprint for e in settings.bootstrap if e.fingerprint}

    # --- keys -----------------------------------------------------------------------------------

    def parse(self, key_text: str) -> PublicKey:
        """Raises PeerFault(BAD_KEY)."""
        return self._suite.parse_public(key_text)

    def key(self, server_id: str) -> PublicKey | None:
        pin = self.pins.get(server_id)
        return None if pin is None else self._suite.parse_public(pin.pubkey)

    def features(self, server_id: str) -> tuple[str, ...]:
        pin = self.pins.get(server_id)
        return () if pin is None else pin.features

    def check(self, server_id: str, key: PublicKey, features: tuple[str, ...]) -> None:
        """Raises PeerFault: BAD_KEY for another key than the pinned,
        NOT_ALLOWED for a downgrade."""
        pinned = self.key(server_id)
        if pinned is not None and pinned.fingerprint != key.fingerprint:
            raise PeerFault(
                Code.BAD_KEY,
                f"{server_id} is known here with another key"
                f" (the operator can type: {self._settings.admin_hint} forget {server_id})",
                close=1008,
            )
        lacking = dropped(self.features(server_id), features)
        if lacking:
            raise PeerFault(
                Code.NOT_ALLOWED,
                f"{server_id} proved itself here with {', '.join(lacking)} and must do so again",
                close=1008,
            )

    # --- admission ------------------------------------------------------------------------------

    def admission(
        self, server_id: str, key: PublicKey, dialled: HostPort | None
    ) -> PinOrigin | None:
        """How this key comes to be trusted, or None where it is not. `dialled`: by our own dial."""
        fingerprint = key.fingerprint
        ruling = self.rulings.get(fingerprint)
        if ruling is not None:
            return PinOrigin.OPERATOR if ruling.verdict is Verdict.ADMITTED else None
        if fingerprint in self._configured:
            return PinOrigin.BOOTSTRAP
        if not is_uuid4(server_id):
            return None  # foreign ids only where the configuration names the key (section 4)
        if self._settings.federation is Federation.OPEN:
            return PinOrigin.OPEN
        pin = self.pins.get(server_id)
        if (
            pin is not None
            and pin.origin is PinOrigin.LOOPBACK
            and not self._settings.bootstrap_given
        ):
            return PinOrigin.LOOPBACK
        if dialled is not None and self.first_use(dialled):
            return PinOrigin.LOOPBACK
        if Candidate(server_id, fingerprint) in self._candidates.values():
            return PinOrigin.LOOPBACK
        return None

    def first_use(self, address: HostPort | None) -> bool:
        """True for an address whose key is taken on first use by our own dial:
        default loopback only."""
        entry = self.entry(address)
        return (
            entry is not None
            and not self._settings.bootstrap_given
            and entry.fingerprint is None
            and is_loopback(entry.address.host)
        )

    def entry(self, address: HostPort | None) -> BootstrapEntry | None:
        if address is None:
            return None
        return next((e for e in self._settings.bootstrap if same_place(e.address, address)), None)

    def saw(self, dialled: HostPort, server_id: str, key: PublicKey) -> None:
        """Our own dial saw this key. Raises PeerFault(BAD_KEY) if the configuration names
        another."""
        entry = self.entry(dialled)
        if entry is not None and entry.fingerprint not in (None, key.fingerprint):
            raise PeerFault(
                Code.BAD_KEY,
                f"ws://{dialled} has key {key.fingerprint}, --bootstrap says {entry.fingerprint};"
                " correct the configuration or find out who answers there",
                close=1008,
            )
        if self.first_use(dialled):
            self._candidates[dialled] = Candidate(server_id, key.fingerprint)

    def pin(
        self,
        server_id: str,
        key: PublicKey,
        address: HostPort,
        origin: PinOrigin,
        features: tuple[str, ...],
        now: Now,
    ) -> None:
        """Remember this server. `features`: those it proved, () where it proved nothing."""
        known = self.pins.get(server_id)
        if known is not None and known.pubkey != key.text:
            raise PeerFault(Code.BAD_KEY, f"{server_id} is known here with another key", close=1008)
        if known is None and len(self.pins) >= PINS_MAX:
            raise PeerFault(
                Code.RATE_LIMITED, "this server knows too many others; ask its operator", close=1008
            )
        proved = tuple(sorted(REMEMBERED & set(features)))
        record = ServerPin(
            server_id=server_id,
            pubkey=key.text,
            host=address.host,
            port=address.port,
            origin=origin,
            features=proved or (known.features if known else ()),
            pinned_ms=known.pinned_ms if known else now.wall,
        )
        if record != known:
            self.pins[server_id] = record
            self._emit.persist(record)

    # --- the operator ---------------------------------------------------------------------------

    def turn_away(
        self, server_id: str, key: PublicKey, address: HostPort | None, now: Now
    ) -> PeerFault:
        """The refusal of a server nobody admitted, with the command that would admit it."""
        fingerprint = key.fingerprint
        self.refused[fingerprint] = Refused(server_id, fingerprint, address, now.wall)
        self.refused.move_to_end(fingerprint)
        if len(self.refused) > REFUSED_KEPT:
            self.refused.popitem(last=False)
        ruling = self.rulings.get(fingerprint)
        if ruling is not None and ruling.verdict is Verdict.BANNED:
            detail = f"key {fingerprint} is banned here"
        else:
            detail = (
                f"known peers only; key {fingerprint} is not known here;"
                f" to admit: {self._settings.admin_hint} admit {fingerprint}"
            )
        return PeerFault(Code.NOT_ALLOWED, detail, close=1008)

    def rule(self, fingerprint: str, verdict: Verdict, now: Now) -> None:
        ruling = Ruling(fingerprint, verdict, now.wall)
        self._remember(ruling, Before(self.rulings.get(fingerprint)))
        self.rulings[fingerprint] = ruling
        self._emit.persist(ruling)

    def forget(self, server_id: str) -> None:
        """Remove the pin of this server, and the ruling on its key."""
        key = self.key(server_id)
        assert key is not None
        pin = self.pins.pop(server_id)
        for address, candidate in tuple(self._candidates.items()):
            if candidate.server_id == server_id:
                del self._candidates[address]
        forgotten = Forgotten(server_id, key.fingerprint)
        self._remember(forgotten, Before(self.rulings.pop(key.fingerprint, None), pin))
        self._emit.persist(forgotten)

    def lift(self, fingerprint: str) -> None:
        """Remove the ruling on a key that no pinned server has."""
        forgotten = Forgotten("", fingerprint)
        self._remember(forgotten, Before(self.rulings.pop(fingerprint)))
        self._emit.persist(forgotten)

    def not_stored(self, records: Iterable[Record]) -> list[ServerPin]:
        """Undo these words of the operator; which servers are known again."""
        again = []
        for record in records:
            if not isinstance(record, Ruling | Forgotten):
                continue
            before, fingerprint = self._before.pop(record, None), record.fingerprint
            standing = record if isinstance(record, Ruling) else None
            if before is None or self.rulings.get(fingerprint) != standing:
                continue  # the operator said something else since
            if before.ruling is None:
                self.rulings.pop(fingerprint, None)
            else:
                self.rulings[fingerprint] = before.ruling
            if before.pin is not None and before.pin.server_id not in self.pins:
                self.pins[before.pin.server_id] = before.pin
                again.append(before.pin)
        return again

    def _remember(self, record: Ruling | Forgotten, before: Before) -> None:
        if before.ruling == record:  # the same word in the same moment
            return
        self._before[record] = before
        self._before.move_to_end(record)
        if len(self._before) > BEFORE_KEPT:
            self._before.popitem(last=False)

    def with_address(self, server_id: str, address: HostPort) -> None:
        """A pinned server says it listens elsewhere now."""
        pin = self.pins[server_id]
        if (pin.host, pin.port) != (address.host, address.port):
            self.pins[server_id] = replace(pin, host=address.host, port=address.port)
            self._emit.persist(self.pins[server_id])


def checked_id(server_id: str) -> str:
    """Raises PeerFault(BAD_FRAME) for what cannot be a server's id, ours or a foreign one."""
    if _SERVER_ID.match(server_id) is None:
        raise PeerFault(
            Code.BAD_FRAME,
            "a server's id is a UUID v4 in lower case (or at most 64 letters, digits, - _ . :)",
            close=1008,
        )
    return server_id


def checked_place(host: str, port: int) -> HostPort:
    """Where a server says it listens. Raises PeerFault(BAD_FRAME) for what cannot be dialled."""
    return parse_host_port(str(HostPort(host, port)))


def same_place(one: HostPort, other: HostPort) -> bool:
    """Equal addresses; all names of loopback are one host."""
    if one.port != other.port:
        return False
    return one.host == other.host or (is_loopback(one.host) and is_loopback(other.host))
