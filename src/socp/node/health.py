"""Time passing: heartbeats, the 45 s rule, first frames that do not come (sections 1, 5 and 12)."""

from __future__ import annotations

from socp.node.effects import Ping
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links, Stage
from socp.wire import limits
from socp.wire.payloads import Heartbeat

HEARTBEAT_MS = limits.HEARTBEAT_S * 1000
SILENCE_MS = limits.SILENCE_S * 1000
USER_PING_MS = 30_000
USER_SILENCE_MS = 90_000
WAITING_MS = 15_000
EXTRA_MS = 20_000  # a second link with a server, once both ends stand on the first
LAST_WORD_MS = 30_000  # of somebody whose key was replaced
ANSWER_MS = 15_000  # from our hello to the answer

OVERDUE = {
    Stage.FRESH: (limits.FIRST_FRAME_S * 1000, "no first frame in 10 s"),
    Stage.CHALLENGED: (limits.PROOF_S * 1000, "no AUTH_PROOF in 10 s"),
    Stage.WAITING: (WAITING_MS, "not admitted in time"),
    Stage.FORMER: (LAST_WORD_MS, "no KEY_REVOKE in 30 s"),
    Stage.DIALLED: (ANSWER_MS, "no answer to our hello"),
    Stage.PROVING: (ANSWER_MS, "no answer to our proof"),
}


class Health:
    """Links that are silent too long are closed; the rest follows from their loss."""

    def __init__(self, emitter: Emitter, links: Links) -> None:
        self._emit = emitter
        self._links = links
        self._beat_ms = 0
        self._look_ms = 0

    def due(self, now: Now) -> None:
        if now.mono >= self._beat_ms:
            self._beat_ms = now.mono + HEARTBEAT_MS
            for link in self._links.servers.values():
                if link.hearsay is None:  # else it hears more: see Gossip
                    self._emit.say(link, Heartbeat(), now, lasting=True)
        if now.mono >= self._look_ms:
            self._look_ms = now.mono + 1000
            recent = now.mono - USER_PING_MS
            for link in tuple(self._links.all.values()):
                if link.stage is not Stage.USER or link.heard_ms < recent:
                    self._look(link, now)

    def _look(self, link: Link, now: Now) -> None:
        if link.stage is Stage.USER:
            self._silent(link, now, USER_PING_MS, USER_SILENCE_MS)
        elif link.stage is Stage.SERVER:
            if now.mono - link.since_ms > EXTRA_MS and not self._links.holds(link):
                self._emit.close(link, 1000, "another link with you stays")
            elif now.mono - link.heard_ms > HEARTBEAT_MS and self._links.holds(link):
                self._silent(link, now, HEARTBEAT_MS, SILENCE_MS)
        elif link.stage in OVERDUE:
            most, reason = OVERDUE[link.stage]
            if now.mono - link.since_ms > most:
                link.move(Stage.CLOSING, now.mono)
                self._emit.close(link, 1008, reason)

    def _silent(self, link: Link, now: Now, ping_ms: int, most_ms: int) -> None:
        """They were silent for longer than `ping_ms`: ping them, and close the dead."""
        if now.mono - link.heard_ms > most_ms:
            self._emit.close(link, 1001, f"silent for {most_ms // 1000} s")
        elif now.mono - link.pinged_ms > ping_ms:
            link.pinged_ms = now.mono
            self._emit.add(Ping(link.id))
