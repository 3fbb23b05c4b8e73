"""Names for received files: basenames that are harmless on every system (section 8; threat M5)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

NAME_BYTES_MAX: Final = 200
"""In UTF-8: systems take 255, and the owner of the folder may add to the name."""
NAMELESS: Final = "file"
_SUFFIX_BYTES_MAX: Final = 40
_SEPARATORS: Final = re.compile(r"[/\\]")
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_RESERVED: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])\Z", re.IGNORECASE
)


def safe_name(name: str) -> str:
    """The last part of `name`, with nothing in it that a system or a reader could mistake.

    Control and direction characters, separators, drive letters, device names of Windows, leading
    dots and dashes, dots and spaces at the end are gone; never empty; at most NAME_BYTES_MAX bytes
    of UTF-8. Applied to its own result it changes nothing.
    """
    seen = unicodedata.normalize("NFC", "".join(map(_shown, name)))
    parts = [_trimmed(part) for part in _SEPARATORS.split(seen)]
    last = next((part for part in reversed(parts) if part), NAMELESS)
    safe = _trimmed(_FORBIDDEN.sub("_", last)) or NAMELESS
    if _RESERVED.match(safe.split(".", 1)[0].rstrip()):
        safe = f"_{safe}"
    return _shortened(safe, NAME_BYTES_MAX)


def next_free(name: str, n: int) -> str:
    """Another name where `name`, a safe one, is taken: "plan.txt" and 2 give "plan (2).txt"."""
    stem, suffix = _split(name)
    mark = f" ({n})"
    room = NAME_BYTES_MAX - len(f"{mark}{suffix}".encode())
    return f"{_cut(stem, room)}{mark}{suffix}"


def _shown(each: str) -> str:
    if unicodedata.category(each) in _UNSEEN:
        return ""
    return " " if each.isspace() else each


def _trimmed(part: str) -> str:
    return part.lstrip(".- ").rstrip(". ")


def _shortened(name: str, room: int) -> str:
    stem, suffix = _split(name)
    return f"{_cut(stem, room - len(suffix.encode()))}{suffix}"


def _split(name: str) -> tuple[str, str]:
    stem, dot, end = name.rpartition(".")
    if not stem or len(end.encode()) >= _SUFFIX_BYTES_MAX:
        return name, ""
    return stem, dot + end


def _cut(text: str, room: int) -> str:
    return text.encode()[:room].decode(errors="ignore").rstrip(". ")
