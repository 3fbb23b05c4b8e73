"""Text from strangers made harmless for a terminal, a log line or a name tag (threats.md I8)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_MARKS_MAX: Final = 4  # combining marks on one character; more would cover the lines around it
_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
# Letters and marks that show as nothing at all.
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_TAB: Final = "    "
_JOINING_JAMO: Final = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")
_HEXAGRAM: Final = re.compile("[\u4dc0-\u4dff]")  # wide since Unicode 16
_CHARS_KNOWN: Final = 4_096  # how wide so many are is not looked up again


def printable(text: str, *, width: int | None = None, multiline: bool = False) -> str:
    """`text` with everything that acts or hides written as a visible escape.

    Escaped: control characters, and with them ANSI escapes; bidirectional marks; zero-width, blank
    and unassigned characters; line and paragraph separators; more than 4 combining marks, or Korean
    letters that join it, on one character. `width`: cut to so many terminal columns, an ellipsis
    being the last. Newlines are kept where `multiline`, and a tab is four spaces there. Spaces of
    all widths become plain ones.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_shown(text, multiline))
    return text if width is None else _cut(text, width)


def encodable(text: str) -> str:
    """`text` with a "?" for each half character, which nobody could send: a terminal or an argument
    that is no UTF-8 gives lone surrogates."""
    return text.encode(errors="replace").decode()


def _shown(text: str, multiline: bool) -> list[str]:
    shown: list[str] = []
    marks = 0
    for index, char in enumerate(text):
        category = unicodedata.category(char)
        joins = category in ("Mn", "Me") or (category == "Lo" and _JOINING_JAMO.match(char))
        marks = marks + 1 if joins else 0
        if multiline and char in "\n\t":
            shown.append("\n" if char == "\n" else _TAB)
        elif multiline and text[index : index + 2] == "\r\n":
            continue
        elif char == _JOINER and _joins_emoji(text, index):
            shown.append(char)
        elif category == "Zs":
            shown.append(" ")
        elif category in _HIDDEN or char in _BLANKS or marks > _MARKS_MAX:
            shown.append(_escape(char))
        else:
            shown.append(char)
    return shown


def _joins_emoji(text: str, index: int) -> bool:
    """True for the joiner inside one emoji, which is drawn as one picture."""
    if index == 0 or index + 1 == len(text):
        return False
    before, after = text[index - 1], text[index + 1]
    return unicodedata.category(after) == "So" and (
        before == _EMOJI_STYLE or unicodedata.category(before) in ("So", "Sk")
    )


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _cut(text: str, width: int) -> str:
    used = 0
    end = 0
    for index, char in enumerate(text):
        used += columns_of(char)
        if used > width:
            return text[:end] + "…" if width > 0 else ""
        if used < width:
            end = index + 1
    return text


def columns(text: str) -> int:
    """How many terminal columns a text takes that `printable` made harmless."""
    return len(text) if text.isascii() else sum(map(columns_of, text))


@lru_cache(_CHARS_KNOWN)
def columns_of(char: str) -> int:
    """The same of one character: 0, 1 or 2, as C libraries and terminals have it: a mark that has
    its own place (Mc) takes a column, what joins the Korean letter before it takes none."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf") or _JOINING_JAMO.match(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" or _HEXAGRAM.match(char) else 1


# Scripts with letters that can be taken for those of another of them.
_LOOK_ALIKES: Final = frozenset(
    {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN"}
    | {"LISU", "OSAGE", "DESERET", "CANADIAN"}
)
_STYLED: Final = "STYLED"
_NAMES_KNOWN: Final = 4_096
"""A name is looked at whenever it is shown."""


@lru_cache(_NAMES_KNOWN)
def mixed_script(text: str) -> bool:
    """True where letters of scripts that look alike stand together: a Cyrillic "a" in "Alice"."""
    scripts = {_script(char) for char in text if char.isalpha()}
    return len(scripts & _LOOK_ALIKES) > 1 or (_STYLED in scripts and len(scripts) > 1)


def _script(char: str) -> str:
    # Mathematical and full-width letters copy the look of plain ones.
    if unicodedata.decomposition(char).startswith(("<font>", "<wide>")):
        return _STYLED
    return unicodedata.name(char, "").partition(" ")[0]
