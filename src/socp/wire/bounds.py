"""What is refused before anything is built of it (section 2; threats.md S4).

A megabyte of `{},` would become 24 MiB of objects. So values are counted first, slice by slice,
with operations that run at the speed of memory and make no object for each value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from socp.wire import limits
from socp.wire.errors import Code, PeerFault

_CLOSE_TOO_LARGE: Final = 1009
_STRINGS_MAX: Final = 2 * limits.FRAME_VALUES  # a value has at most two: itself and its name
_FEW: Final = 64  # marks of one kind; frames are long by what is in their strings
_SLICE: Final = 32 * limits.KIB
_SPACES: Final = b" \t\r\n"
_NOT_MARKS: Final = bytes(set(range(256)) - set(b",[{"))
_NOT_SEPARATORS: Final = bytes(set(range(256)) - set(b'",[{'))
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b'"[]{}'))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_QUOTED: Final = re.compile(rb'"[^"]*"')
_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_STEPS: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_LOOKED_AT_MAX: Final = 1_000  # strings and brackets, in search of a place to name


def check_size(size: int, max_bytes: int) -> None:
    """PeerFault(TOO_LARGE), closing with 1009, for a frame of more than `max_bytes`."""
    if size > max_bytes:
        raise PeerFault(
            Code.TOO_LARGE,
            f"frame of at least {size} bytes; at most {max_bytes} are taken here",
            close=_CLOSE_TOO_LARGE,
        )


def few(data: bytes, mark: bytes) -> int | None:
    """How often `mark` stands in `data`; None where that is often. Ten times as fast as counting:
    it leaps from one to the next."""
    at = -1
    for found in range(_FEW):
        at = data.find(mark, at + 1)
        if at < 0:
            return found
    return None


def check_values(data: bytes, what: str) -> None:
    """PeerFault(BAD_FRAME) where `data`, if it is JSON at all, holds more than 50,000 values."""
    # The densest form is "[0,0,0]", two bytes a value: nothing shorter needs to be looked at.
    if len(data) >= 2 * limits.FRAME_VALUES and _may_be_too_many(data) and _too_many(data):
        raise PeerFault(Code.BAD_FRAME, f"{what}: more than {limits.FRAME_VALUES} JSON values")


def check_levels(data: bytes, what: str) -> None:
    """PeerFault(BAD_FRAME) where arrays and objects stand more than 16 deep in each other."""
    pieces = (_outside_strings(piece, _NOT_BRACKETS) for piece in _unescaped(data))
    brackets = b"".join(pieces).translate(_ONE_KIND)
    for _ in range(limits.FRAME_LEVELS):
        brackets = brackets.replace(b"[]", b"")  # takes away the innermost level, everywhere
    if brackets:  # or they do not fit each other, which no parser takes either
        detail = f"{what}: more than {limits.FRAME_LEVELS} levels of arrays and objects"
        raise PeerFault(Code.BAD_FRAME, detail + _place_of_the_deepest(data))


def _may_be_too_many(data: bytes) -> bool:
    """False where even with what stands inside strings there are not enough marks."""
    if all(few(data, mark) is not None for mark in (b",", b"[", b"{")):
        return False
    at_most = 1
    for start in range(0, len(data), _SLICE):
        at_most += len(data[start : start + _SLICE].translate(None, _NOT_MARKS))
        if at_most > limits.FRAME_VALUES:
            return True
    return False


def _too_many(data: bytes) -> bool:
    """Exact for well-formed JSON: values = 1 + commas + arrays and objects that are not empty."""
    if b"\\" not in data and few(data, b'"') is None and data.count(b'"') // 2 > _STRINGS_MAX:
        return True
    commas = opened = strings = 0
    for piece in _unescaped(data):
        strings += piece.count(b'"') // 2  # a cut one counts where it ends
        if strings > _STRINGS_MAX:
            return True
        marks = _outside_strings(piece, _NOT_SEPARATORS)
        found = marks.count(b",")
        commas += found
        opened += len(marks) - found
        if max(1 + commas, opened) > limits.FRAME_VALUES:
            return True
    most = 1 + commas + opened
    return most > limits.FRAME_VALUES and most - _empties(data) > limits.FRAME_VALUES


def _unescaped(data: bytes) -> Iterator[bytes]:
    """`data` in slices without escaped quotes and backslashes; a cut string is opened again."""
    carry = b""
    for start in range(0, len(data), _SLICE):
        piece = carry + data[start : start + _SLICE]
        carry = b""
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"")
            carry = b"\\" if piece.endswith(b"\\") else b""  # what it escapes is in the next slice
            piece = piece.replace(b'\\"', b"")
        if piece.count(b'"') % 2:
            carry = b'"' + carry
        yield piece


def _outside_strings(piece: bytes, dropped: bytes) -> bytes:
    """`piece` without its strings and without the bytes in `dropped`, which has no quote."""
    # Taking out two quotes that touch moves no other mark into a string or out of one.
    marks = piece.translate(None, dropped).replace(b'""', b"")
    if b'"' in marks:
        marks = _QUOTED.sub(b"", marks).partition(b'"')[0]
    return marks


def _empties(data: bytes) -> int:
    """How many arrays and objects are empty."""
    empties = 0
    last = b""
    for piece in _unescaped(data):
        bare = _QUOTED.sub(b"0", piece).partition(b'"')[0].translate(None, _SPACES)
        bare = last + bare
        empties += bare.count(b"[]") + bare.count(b"{}")
        last = bare[-1:]
    return empties


def _place_of_the_deepest(data: bytes) -> str:
    """Where the first level too many opens, if that is near enough to be found cheaply."""
    level = 0
    for match in islice(_STRING_OR_BRACKET.finditer(data), _LOOKED_AT_MAX):
        level += _STEPS.get(match[0], 0)
        if level > limits.FRAME_LEVELS:
            return f", at byte {match.start()}"
    return ""
