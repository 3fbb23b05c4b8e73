"""Carries out what is typed and says what comes, in lines: the same for a terminal and a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from socp.client.client import Client
from socp.client.clock import now_ms
from socp.client.line import Line
from socp.client.notices import GivenUp, Notice, Offline
from socp.member import effects
from socp.talk.comings import Comings
from socp.talk.obeying import Obeying, Show
from socp.talk.own_lines import OwnLines


async def _at_once() -> None:
    """Somebody always may."""


class Desk(Obeying):
    """`obey` what is typed, `follow` what happens."""

    def __init__(
        self,
        me: Client,
        show: Show,
        once_shown: Callable[[Callable[[], None]], None],
        *,
        hold_s: float,
        patience_s: float,
        has_toolbar: bool,
        ready: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        """`once_shown` calls what it is given when all that was shown before can be seen; `hold_s`:
        how long one's own line may be on its way before it is shown as waiting; `ready` returns
        when somebody may read what happens."""
        super().__init__(me, show, patience_s=patience_s, has_toolbar=has_toolbar)
        self.given_up = False
        self.id_revoked = False  # as was asked for
        self.here: set[str] = set()  # user ids; the toolbar asks at every key
        self.lines = OwnLines(self.phrases, show, hold_s)
        self._once_shown = once_shown
        self._ready = ready
        self._comings = Comings(self.phrases, show)

    # --- what happens ---------------------------------------------------------------------------

    def said(self, line: Line) -> None:
        """See Obeying."""
        self.lines.said(line)

    async def follow(self) -> None:
        """Say what happens until it is over for good (`given_up`)."""
        async for notice in self.me.notices():
            await self._ready()
            await self._heard(notice)
            self.patience.heard(notice)
            if isinstance(notice, GivenUp):
                self.given_up = True
                return

    async def _heard(self, notice: Notice) -> None:
        match notice:
            case effects.LineMoved():
                self._comings.tell_of(notice.to)
                self.lines.moved(notice)
            case effects.OwnKeyMoved():
                self.id_revoked |= notice.state is effects.OwnKeyState.REVOKED
            case Offline():
                self.here.clear()
            case effects.PeerMoved():
                (self.here.add if notice.online else self.here.discard)(notice.user_id)
                self._comings.moved(notice)
            case effects.MessageArrived():
                self._comings.tell_of(notice.author)
                self.spoke = self.spoke if notice.public else notice.author
            case effects.FileOffered():
                self._comings.tell_of(notice.author)
                self.transfers.received(notice)
            case (
                effects.FileProgress()
                | effects.FileWaits()
                | effects.FileDone()
                | effects.FileFailed()
            ):
                notice = self.transfers.by_author(notice)
                self.transfers.moved(notice)
        spoken = await self.looking_back.about(about(notice))
        entry = self.phrases.entry(notice, now_ms(), spoken)
        if entry is not None:
            self._show(entry)
        if isinstance(notice, effects.MessageArrived | effects.MessageRefused):
            self._once_shown(lambda: self.me.shown(notice))

    # --- the end --------------------------------------------------------------------------------

    def outstanding(self) -> list[str]:
        """What was asked for and is not done yet, one phrase each."""
        return [*self.lines.outstanding(), *self.transfers.outstanding()]

    async def finished(self, seconds: float) -> None:
        """Return when nothing is outstanding, or after so long."""
        await self.patience.until(lambda: self.given_up or not self.outstanding(), seconds)

    @property
    def failed(self) -> bool:
        """Something that was said or sent was refused."""
        return self.lines.refused or self.transfers.failed


def about(notice: Notice) -> str:
    """The msg_ref of what a notice is about, "" for nothing."""
    match notice:
        case effects.MessageArrived():
            return notice.reply_to
        case effects.Amended():
            return notice.of
        case _:
            return ""
