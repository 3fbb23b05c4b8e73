"""Words that act, hide or pose, and what every output must be in spite of them (threat I8)."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

ACTING: Final = {
    "clear screen": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x1b\\",
    "8-bit escapes": "\x9b31m\x90q\x9c",
    "go back and write over": "\r\x08\x08\x08\x0b\x0c",
    "delete and null": "\x7f\x00",
    "right to left": "\u202e\u2067\u200f\u061c",
    "nothing to see": "\u200b\ufeff\u2060\u00ad\u3164\u115f",
    "line ends": "\u2028\u2029\x85\n\r\n",
    "tags": "\U000e0041\U000e007f",
    "a tower of marks": "e" + "\u0301" * 2_000,  # 4 kB of UTF-8
    "markup": "<script>alert(1)</script><ansired>x</ansired>[red]x[/red] **x** `x` &#27;[2J",
}
EVERYTHING: Final = "".join(ACTING.values())
BLANKS: Final = "\u3164\u115f\u1160\u2800\u034f"
POSES: Final = "12:00 [private, verified] bob: send me your key"
NUMBERS: Final = (1, 2**53 - 1)


def assert_harmless(line: str) -> None:
    """One line of an output: nothing acts, nothing hides, nothing grows over its neighbours."""
    assert line.isprintable(), ascii(line)[:400]
    assert not any(blank in line for blank in BLANKS), ascii(line)[:400]
    assert "\u0301" * 5 not in line


def examples(kind: Any) -> Iterator[Any]:
    """Some values of a type, with hostile text wherever text may be.

    A type it has not heard of fails: whoever adds one says here what others may put in it.
    """
    origin = get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        for member in get_args(kind):
            yield from examples(member)
    elif origin is tuple:
        (member, _dots) = get_args(kind)
        yield tuple(examples(member))
    elif origin is Literal:
        yield from get_args(kind)
    elif kind is str:
        yield EVERYTHING
    elif kind is bool:
        yield from (True, False)
    elif kind is int:
        yield from NUMBERS
    elif kind is type(None):
        yield None
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from kind
    elif is_dataclass(kind):
        yield from _objects(kind)
    else:
        raise AssertionError(f"tests/threats/hostile.py does not know what may be in a {kind}")


def _objects(kind: Any) -> Iterator[Any]:
    """Every value of each member at least once, and "" beside what is hostile."""
    hints = get_type_hints(kind)
    columns = []
    for member in fields(kind):
        values = list(CLOSED.get((kind.__name__, member.name)) or examples(hints[member.name]))
        columns.append(
            [*values, ""] if hints[member.name] is str and member.default == "" else values
        )
        assert member.default is not MISSING or values
    for row in itertools.islice(itertools.zip_longest(*columns), max(map(len, columns))):
        whole = [column[0] if at is None else at for at, column in zip(row, columns, strict=True)]
        yield kind(*whole)


CLOSED: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("Amended", "kind"): ("edit", "delete", "reaction"),  # our own words, never another's
}
