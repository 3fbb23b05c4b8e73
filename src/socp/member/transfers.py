"""Files both ways, as the rest of the brain sees them."""

from __future__ import annotations

from dataclasses import dataclass

from socp.member.events import CancelFile, Now
from socp.member.file_offers import FileOffers
from socp.member.origin import Origin
from socp.member.receiving import Receiving
from socp.member.resting import NEVER_MS, SOON_MS
from socp.member.sending import Sending
from socp.wire.content import File, FileState


@dataclass(frozen=True, slots=True)
class Transfers:
    """Each word goes to the end that it is about."""

    sending: Sending
    receiving: Receiving
    offers: FileOffers

    @property
    def idle(self) -> bool:
        """Nothing is on its way or soon to come. What waits does not count; it is kept."""
        return self.sending.idle and self.receiving.idle and self.offers.idle

    @property
    def still(self) -> bool:
        """Nothing is on its way: another link breaks nothing off."""
        return self.sending.idle and self.receiving.idle

    def heard(self, origin: Origin, said: File | FileState, now: Now) -> None:
        """`file_state`: by a reader of ours where the file is ours, else by its author. What is
        said beside a file is in the talk for later versions."""
        if origin.public or not isinstance(said, FileState):
            return
        if not self.sending.heard(origin.author, said, now):
            self.receiving.heard(origin.author, said, now)

    def cancel(self, event: CancelFile, now: Now) -> None:
        """The person stops it."""
        if not self.sending.cancel(event.file_id, now):
            self.receiving.cancel(event.file_id, now)

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        rests = self.sending.rests and self.receiving.idle
        return NEVER_MS if rests else SOON_MS

    def due(self, now: Now) -> None:
        """What time brings."""
        self.sending.due(now)
        self.receiving.due(now)

    def came(self, user_id: str) -> None:
        """Somebody is there."""
        self.sending.came(user_id)

    def went(self, user_id: str, now: Now) -> None:
        """Somebody left."""
        self.sending.went(user_id, now)
        self.receiving.went(user_id)

    def lost(self) -> None:
        """The link is gone."""
        self.sending.lost()
        self.receiving.lost()
        self.offers.lost()
