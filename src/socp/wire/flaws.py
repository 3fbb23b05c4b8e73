"""Why a JSON text is refused, said so that its author finds the place. Slow: for refusals only."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.text import printable

_NAME_COLUMNS: Final = 40
_PATH_COLUMNS: Final = 200
_NOT_NUMBERS: Final = (b"NaN", b"Infinity", b"-Infinity")
_NUMBER_CHARS_MAX: Final = len(str(-limits.INTEGER_MAX))
_TOO_LARGE: Final = "a number beyond 2^53 - 1"
_AT_BYTE: Final = re.compile(r"(?:JSON is malformed: )?(.*) \(byte (\d+)\)")
_LONE_SURROGATE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def utf8(text: str, what: str) -> bytes:
    """The bytes of `text`. PeerFault(BAD_FRAME) for a raw lone surrogate."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        detail = f"{what}: lone surrogate \\u{code:04x} at character {error.start}"
        raise PeerFault(Code.BAD_FRAME, detail) from None


def bounded_float(digits: str) -> float:
    """The value of a fraction. ValueError beyond 2^53 - 1, infinity included."""
    value = float(digits)
    if abs(value) > limits.INTEGER_MAX:
        raise ValueError(_TOO_LARGE)
    return value


def refusal(data: bytes, error: Exception, what: str) -> PeerFault:
    """The fault for `data`, which the strict parser refused with `error`."""
    return PeerFault(Code.BAD_FRAME, f"{what}: {_reason(data, error)}")


def repetition(data: bytes, what: str) -> PeerFault:
    """The fault for `data`, in which an object names a member twice."""
    return PeerFault(Code.BAD_FRAME, f"{what}: {_first_flaw(data) or 'a member stands twice'}")


def check_numbers(data: bytes, what: str) -> None:
    """PeerFault(BAD_FRAME) for a number beyond 2^53 - 1 in `data`, which is valid JSON."""
    flaw = _first_flaw(data)
    if flaw is not None:
        raise PeerFault(Code.BAD_FRAME, f"{what}: {flaw}")


def _reason(data: bytes, error: Exception) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as bad:
        return f"not UTF-8 at byte {bad.start}"
    message = str(error)
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        return _syntax(data, message)
    return _first_flaw(data) or _TOO_LARGE


def _syntax(data: bytes, message: str) -> str:
    if "surrogate" in message or "truncated" in message:
        lone = _LONE_SURROGATE.search(data.replace(b"\\\\", b"__"))
        if lone is not None:
            return f"lone surrogate {lone[0].decode('ascii')} at byte {lone.start()}"
    placed = _AT_BYTE.fullmatch(message)
    if placed is None:
        return f"the text ends too early, at byte {len(data)}"
    reason, offset = placed[1], int(placed[2])
    if reason.startswith("trailing characters"):
        offset -= 1  # msgspec names the byte after the first of them
    start = max(offset - 1, 0) if data[offset - 1 : offset] == b"-" else offset
    for name in _NOT_NUMBERS:
        if data.startswith(name, start):
            return f"{name.decode()} is not JSON, at byte {start}"
    return f"{reason}, at byte {offset}"


class _Flaw:
    """Stands in the parsed tree where something is wrong, so that its path can be found."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class _FlawFinder:
    """Python's own parser with its hooks: sees every pair, and every number as it is written."""

    def __init__(self) -> None:
        self.found = False

    def first_in(self, data: bytes) -> str | None:
        """The path and reason of the first flaw in document order; None: there is none."""
        reader = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=self._integer, parse_float=self._fraction
        )
        tree = reader.decode(data.decode("utf-8"))
        return _located(tree, "") if self.found else None

    def _object(self, pairs: list[tuple[str, object]]) -> object:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        last = {name: place for place, (name, _) in enumerate(pairs)}
        repeated = (name for place, (name, _) in enumerate(pairs) if last[name] != place)
        return self._flaw(f'member "{printable(next(repeated), width=_NAME_COLUMNS)}" stands twice')

    def _integer(self, digits: str) -> object:
        if len(digits) > _NUMBER_CHARS_MAX or abs(int(digits)) > limits.INTEGER_MAX:
            return self._flaw(_TOO_LARGE)
        return 0

    def _fraction(self, digits: str) -> object:
        return self._flaw(_TOO_LARGE) if abs(float(digits)) > limits.INTEGER_MAX else 0

    def _flaw(self, reason: str) -> _Flaw:
        self.found = True
        return _Flaw(reason)


def _first_flaw(data: bytes) -> str | None:
    try:
        return _FlawFinder().first_in(data)
    except (ValueError, RecursionError):
        return None  # not JSON all the way: the other parser's reason has to do


def _located(value: object, path: str) -> str | None:
    """`path: reason` of the first flaw in `value`."""
    if isinstance(value, _Flaw):
        place = printable(path.removeprefix("."), width=_PATH_COLUMNS)
        return f"{place}: {value.reason}" if place else value.reason
    if isinstance(value, dict):
        inside = ((item, f"{path}.{name}") for name, item in value.items())
    elif isinstance(value, list):
        inside = ((item, f"{path}[{index}]") for index, item in enumerate(value))
    else:
        return None
    return next((said for item in inside if (said := _located(*item)) is not None), None)
