"""Strict JSON (section 2; threats.md M7): what two parsers could read in two ways is refused.

msgspec checks the grammar, UTF-8 and surrogates, and builds the value. What it does not see is
found here: a member written twice, magnitudes over 2^53 - 1, more than 16 levels.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from socp.wire import bounds, flaws, limits

_Int = Annotated[int, Meta(ge=-limits.INTEGER_MAX, le=limits.INTEGER_MAX)]
_Float = Annotated[float, Meta(ge=-limits.INTEGER_MAX, le=limits.INTEGER_MAX)]


def levels(count: int, *, fractions: bool) -> Any:
    """The type of a JSON value with at most `count` levels, its numbers within 2^53 - 1."""
    leaf: Any = None | bool | _Int | str
    if fractions:
        leaf |= _Float
    kind: Any = leaf
    for _ in range(count):
        kind = leaf | list[kind] | dict[str, kind]
    return kind


# No frame of the protocol has more than 4 levels. The type doubles with each of them, so what is
# deeper takes the second way.
_whole: Final = msgspec.json.Decoder(levels(6, fractions=False))
_shallow: Final = msgspec.json.Decoder(levels(6, fractions=True))
_deep: Final = msgspec.json.Decoder(float_hook=flaws.bounded_float)
_encode: Final = msgspec.json.Encoder().encode

LONG: Final = 8 * limits.KIB  # so much is read once, where that can be

# 2^53 - 1 has 16 digits: where no 16 stand in a row, no integer is larger.
_LONG_RUN: Final = b"0" * len(str(limits.INTEGER_MAX))
_DIGITS_AS_0: Final = bytes.maketrans(b"123456789", b"000000000")


def loads(text: str | bytes, *, what: str = "frame") -> object:
    """The value of a strict JSON text; see `read`."""
    return read(text, what=what)[0]


def read(text: str | bytes, *, what: str = "frame") -> tuple[object, bool]:
    """The value of a strict JSON text, as plain Python, and whether it surely has no fraction.

    `what` begins the detail of a fault.

    PeerFault(BAD_FRAME), saying what is wrong and where, for all that section 2 forbids. Fractions
    are taken: whoever wants an integer refuses them. Does not bound the size in bytes.
    """
    data = flaws.utf8(text, what) if isinstance(text, str) else text
    value, whole = parsed(data, what)
    check_once(data, value, what)
    return value, whole


def parsed(data: bytes, what: str) -> tuple[object, bool]:
    """As `read`, but for members written twice, of which the last is taken: `check_once` is still
    to be called."""
    bounds.check_values(data, what)
    try:
        return _parse(data, what)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise flaws.refusal(data, error, what) from None


def check_once(data: bytes, value: object, what: str) -> None:
    """PeerFault(BAD_FRAME) where an object in `data`, whose value this is, has a member twice."""
    if _repeats_a_member(data, value):
        raise flaws.repetition(data, what)


def _parse(data: bytes, what: str) -> tuple[object, bool]:
    value: object
    try:
        return _whole.decode(data), True
    except msgspec.ValidationError:
        pass  # a fraction, more levels, or a fault
    try:
        value = _shallow.decode(data)
    except msgspec.ValidationError:
        bounds.check_levels(data, what)
        value = _deep.decode(data)
        if _LONG_RUN in data.translate(_DIGITS_AS_0):
            flaws.check_numbers(data, what)
    return value, False


def _repeats_a_member(data: bytes, value: object) -> bool:
    """True where a name stands twice in one object; a tenth of the price of looking at each.

    Every member has its colon, and of members with one name the parser keeps the last. So the
    value, written out again, has fewer colons than the text if and only if a member was dropped.
    """
    if len(data) >= LONG and _has_a_member_a_colon(data, value):
        return False
    colons = data.count(b":")
    if b"\\" in data and b"\\u003" in data:  # perhaps a colon in a string, as an escape
        escapes = data.replace(b"\\\\", b"")
        colons += escapes.count(b"\\u003a") + escapes.count(b"\\u003A")
    return colons != _encode(value).count(b":")


def _has_a_member_a_colon(data: bytes, value: object) -> bool:
    """True where the text has no more colons than the value has members, and colons in its
    strings: none was dropped. Told without reading what is long once more, of most texts: where
    no object is in an array."""
    colons = bounds.few(data, b":")
    if colons is None or not isinstance(value, dict):
        return False
    objects = [value]
    for each in objects:  # which grows
        objects += [inner for inner in each.values() if type(inner) is dict]
    others = colons - sum(map(len, objects))
    return not others or (b"\\" not in data and others == sum(map(_colons, objects)))


def _colons(members: dict[str, object]) -> int:
    """How many are in its strings, but for long ones."""
    texts = (text for text in members.values() if isinstance(text, str))
    return sum(text.count(":") for text in texts if len(text) < LONG)
