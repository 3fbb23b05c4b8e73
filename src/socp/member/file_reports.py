"""Where a file stands, said to its author's client (section 8, `file_state` of `content/1`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from socp.files.transfer import REPORT_BYTES
from socp.member import latest
from socp.member.events import Now
from socp.member.incoming import Incoming, IncomingFiles
from socp.member.outgoing import Mouth
from socp.member.records import FileStage
from socp.wire.content import FileState

State = Literal["wanted", "paused", "done", "refused"]
STRAY_MS: Final = 10_000
STRAYS_MAX: Final = 100


def report(mouth: Mouth, to: str, said: FileState, now: Now) -> None:
    """Say it quietly; what was not said yet of the same file is replaced by what is newer."""
    mouth.post(to, said, now, quiet=True, key=f"file_state {said.file_id}")


class FileReports:
    """The receiving end's."""

    def __init__(self, mouth: Mouth, files: IncomingFiles) -> None:
        self._mouth = mouth
        self._files = files
        self._strays: dict[str, int] = {}  # when it was last said that nothing is taken, by file_id

    def say(self, author: str, file_id: str, state: State, now: Now, *, have: int = 0) -> None:
        """`have`: so many of the first chunks are here."""
        report(self._mouth, author, FileState(file_id=file_id, have=have, state=state), now)

    def stands(self, incoming: Incoming, now: Now) -> None:
        """Where it stands, to an author who waits for it."""
        receiver = incoming.receiver
        if incoming.reports:
            incoming.reported = receiver.done
            self.say(receiver.author, receiver.file_id, "wanted", now, have=receiver.have)

    def moved(self, author: str, running: Iterable[Incoming], now: Now) -> None:
        """Where an author's files stand, each time REPORT_BYTES of them came. Of all together, for
        they share a window: a few chunks of each may fill it."""
        theirs = [one for one in running if one.receiver.author == author and one.reports]
        if sum(one.receiver.done - one.reported for one in theirs) >= REPORT_BYTES:
            for one in theirs:
                if one.receiver.done > one.reported:
                    self.stands(one, now)

    def ended(self, author: str, file_id: str, now: Now) -> None:
        """What became of one that is over."""
        file = self._files.get(author, file_id)
        if file is not None:
            done = file.stage is FileStage.DONE
            self.say(author, file_id, "done" if done else "refused", now)

    def stray(self, author: str, file_id: str, now: Now) -> None:
        """A chunk came that nothing is open for: its author did not hear that we were away, and has
        to begin again."""
        file = self._files.get(author, file_id)
        if file is None or file.stage is not FileStage.OPEN:
            return
        if now.mono - self._strays.get(file_id, now.mono - STRAY_MS) < STRAY_MS:
            return
        latest.keep(self._strays, file_id, now.mono, STRAYS_MAX)
        self.say(author, file_id, "paused", now)
