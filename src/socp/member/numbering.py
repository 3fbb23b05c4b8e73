"""The place of our own messages: which number, after which one (section 11, `content/1`)."""

from __future__ import annotations

from collections.abc import Iterable

from socp.member import taken_back
from socp.member.emitter import Emitter
from socp.member.records import Numbered, OutboxLine
from socp.member.sent import Sent
from socp.wire.content import Place


class Numbering:
    """Counts for each reader and for the channel, in one run; another run begins anew at 1."""

    def __init__(
        self, emitter: Emitter, run: str, remembered: Iterable[Numbered], sent: Sent
    ) -> None:
        self._emit = emitter
        self._run = run
        self._sent = sent
        self._newest = {one.to: one for one in remembered if one.run == run}

    @property
    def runs(self) -> bool:
        """Whether this client numbers at all."""
        return bool(self._run)

    def next(self, to: str) -> Place:
        """Where the next message there will stand."""
        newest = self._newest.get(to)
        if newest is None:
            return Place(self._run, 1, "")
        return Place(self._run, newest.seq + 1, newest.msg_ref)

    def took(self, to: str, place: Place, msg_ref: str) -> None:
        """A message was composed for this place, perhaps anew."""
        if place.run == self._run and place.seq >= self.next(to).seq - 1:
            self._keep(Numbered(to, place.run, place.seq, msg_ref))

    def over(self, line: OutboxLine, *, refused: bool) -> OutboxLine | None:
        """A line is over, or goes in another form: its readers may ask for it. Where it never went
        anywhere the next one takes its place, if it was the newest; else it is a hole, and what
        fills it is given: it says that the line was taken back, and is kept for who asks."""
        if line.place is None:
            return None
        if not refused or line.doubt:
            self._sent.keep(line)
        elif self._is_newest(line.to, line.place):
            place = line.place
            self._keep(Numbered(line.to, place.run, place.seq - 1, place.prev))
        elif line.place.first:
            filler = taken_back.wordless(line, line.place.first)
            self._sent.keep(filler)
            return self._sent.again(filler)
        return None

    def _is_newest(self, to: str, place: Place) -> bool:
        newest = self._newest.get(to)
        return newest is not None and (place.run, place.seq) == (newest.run, newest.seq)

    def _keep(self, newest: Numbered) -> None:
        self._newest[newest.to] = newest
        self._emit.persist(newest)
