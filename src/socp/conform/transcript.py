"""What was sent and what came while one rule was tried, shortened for who reads the report."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

LINES_MAX: Final = 40
_TEXT_CHARS: Final = 300
_LONG: Final = re.compile(r"[A-Za-z0-9_+/=-]{49,}")
_KEPT_CHARS: Final = 12
_UNPRINTABLE: Final = re.compile(r"[^ -~]")


def shortened(text: str) -> str:
    """Fit for a line of a terminal: keys and signatures shortened, nothing that moves a cursor."""
    # Before the long pattern: a megabyte of one letter is no signature.
    text = text[: 16 * _TEXT_CHARS]
    text = _LONG.sub(lambda found: f"{found[0][:_KEPT_CHARS]}...", text)
    text = _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= _TEXT_CHARS else text[:_TEXT_CHARS] + "..."


@dataclass(slots=True)
class Transcript:
    """Lines in the order of their time, the last ones kept: `> ` we sent, `< ` came, `= `
    became of the link."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_MAX))

    def sent(self, link: str, text: str) -> None:
        self.lines.append(f"> {link}: {shortened(text)}")

    def came(self, link: str, text: str) -> None:
        self.lines.append(f"< {link}: {shortened(text)}")

    def became(self, link: str, what: str) -> None:
        self.lines.append(f"= {link}: {shortened(what)}")
