"""What of the screen is not up to date."""

from __future__ import annotations

from enum import Flag, auto


class Part(Flag):
    """Widgets are told of these, and look again at what is true."""

    TALKS = auto()  # the list of conversations
    LINES = auto()  # the conversation that is open
    TALK = auto()  # which one that is
    PEOPLE = auto()
    LINK = auto()
    TRUST = auto()
    ALL = TALKS | LINES | TALK | PEOPLE | LINK | TRUST
