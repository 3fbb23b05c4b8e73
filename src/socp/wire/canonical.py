"""Canonical JSON (section 3): the one text of an object that is signed and digested."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import msgspec

from socp.wire import strict
from socp.wire.part import Part, Payload

# Python's own writer is the measure: most other implementations sign exactly what it writes.
_ascii: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_utf8: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
)
ordered: Final = msgspec.json.Encoder(order="sorted").encode
"""The canonical text of all that has no fraction, where it `is_plain`."""
_whole: Final = msgspec.json.Decoder(strict.levels(5, fractions=False))


def canonical(value: object, *, whole: bool = False) -> bytes:
    """Keys sorted by code point, `,` and `:`, everything outside printable ASCII escaped.

    `value` is plain Python (dict with text keys, list, str, int, float, bool, None) or a Part.
    `whole`: it is known to have come out of strict JSON without a fraction.
    """
    # Twice as fast, and the same text but for characters outside ASCII, DEL, and fractions, of
    # which every library writes the exponents in its own way. No Part that we say has any.
    if isinstance(value, Part) and not _omits(value):
        text = ordered(value)
        if is_plain(text):
            return text
    plain = _plain(value)
    text = ordered(plain)
    if is_plain(text) and (whole or _says(text, plain)):
        return text
    return _ascii.encode(plain).encode("ascii")


def is_plain(text: bytes) -> bool:
    """Whether nothing in it had to be escaped."""
    return text.isascii() and b"\x7f" not in text


def canonical_utf8(value: object) -> bytes:
    """The same object with characters outside ASCII left as they are: to verify, never to send."""
    return _utf8.encode(_plain(value)).encode("utf-8")


def to_members(payload: Part) -> dict[str, object]:
    """The members as they go on the wire: wire names, defaults left out but for `ALWAYS`."""
    # By way of JSON, which has lists and no tuples, as a payload has that came over the wire.
    members: dict[str, Any] = _plain_json(payload)
    if isinstance(payload, Payload):
        for name in payload.ALWAYS:
            if name not in members:
                members[name] = _plain_json(getattr(payload, name))
    return members


def _plain_json(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _plain(value: object) -> object:
    return to_members(value) if isinstance(value, Part) else value


def _says(text: bytes, value: object) -> bool:
    """True where `text` is JSON without fractions, and of this very value (NaN became null)."""
    try:
        said: object = _whole.decode(text)
    except msgspec.ValidationError:
        return False
    return said == value


def _omits(value: Part) -> bool:
    """Whether a member of `ALWAYS` holds its default, which msgspec leaves out."""
    always = _always(type(value))
    return bool(always) and any(getattr(value, name) == default for name, default in always)


@cache
def _always(kind: type[Part]) -> tuple[tuple[str, object], ...]:
    """The members of `ALWAYS` that have a default, with it."""
    # msgspec.structs.fields would evaluate every annotation first: half a millisecond a kind.
    names, values = kind.__struct_fields__, kind.__struct_defaults__
    defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
    always = kind.ALWAYS if issubclass(kind, Payload) else ()
    return tuple((name, defaults[name]) for name in always if name in defaults)
