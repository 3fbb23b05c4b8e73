"""msgspec's refusals in words for the author of a client: which member, what for, what instead."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from socp.wire.ids import UUID4_PATTERN
from socp.wire.part import BASE64URL_PATTERN, HEX64_PATTERN

_WANTED: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_GIVEN: Final = _WANTED | {"int": "a number", "float": "a number with a fraction or an exponent"}
_FORMS: Final = {
    repr(UUID4_PATTERN): "a UUID v4 in lower case",
    repr(HEX64_PATTERN): "64 hex digits in lower case",
    repr(BASE64URL_PATTERN): "base64url text",
}
_BOUNDS: Final = {">=": "at least", "<=": "at most"}
_KIND: Final = re.compile(r"Expected `([a-z| ]+)`, got `([a-z]+)`")
_LENGTH: Final = re.compile(r"Expected `(str|array)` of length (>=|<=) (\d+)")
_RANGE: Final = re.compile(r"Expected `int` (>=|<=) (-?\d+)")
_FORM: Final = re.compile(r"Expected `str` matching regex (.*)")
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def complaint(error: msgspec.ValidationError) -> str:
    """For example "pubkey: expected text, got a number" or "shares[3].member: missing"."""
    message, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    missing = _MISSING.fullmatch(message)
    if missing is not None:
        return f"{path}.{missing[1]}: missing".lstrip(".")
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is not None:
        return f"{path}.{unknown[1]}: unknown; leave it out".lstrip(".")
    return f"{path}: {_said(message)}".lstrip(".: ")


def _said(message: str) -> str:
    if (kind := _KIND.fullmatch(message)) is not None:
        wanted = " or ".join(_WANTED.get(name, name) for name in kind[1].split(" | "))
        return f"expected {wanted}, got {_GIVEN.get(kind[2], kind[2])}"
    if (length := _LENGTH.fullmatch(message)) is not None:
        noun, unit = ("text", "characters") if length[1] == "str" else ("a list", "items")
        return f"expected {noun} of {_BOUNDS[length[2]]} {length[3]} {unit}"
    if (bound := _RANGE.fullmatch(message)) is not None:
        return f"expected a whole number of {_BOUNDS[bound[1]]} {bound[2]}"
    if (form := _FORM.fullmatch(message)) is not None:
        return f"expected {_FORMS.get(form[1], 'text of another form')}"
    return message
