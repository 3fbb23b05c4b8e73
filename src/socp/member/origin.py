"""Whose a message is."""

from __future__ import annotations

from dataclasses import dataclass

from socp.member.effects import Trust
from socp.wire.ids import PUBLIC


@dataclass(frozen=True, slots=True)
class Origin:
    """A message that is known to be its author's, and new."""

    author: str
    public: bool
    ts: int  # author's, Unix ms
    msg_ref: str
    trust: Trust
    own_ref: str = (
        ""  # its own msg_ref, where `msg_ref` is what it is called by since it first went
    )

    @property
    def talk(self) -> str:
        """The conversation it belongs to."""
        return PUBLIC if self.public else self.author
