"""JSON texts for property tests, in every spelling that JSON allows and some that it does not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from socp.wire import limits

JsonText = str


class NotStrict(Exception):
    """What the reference reader says to all that section 2 forbids."""


def reference_loads(text: str) -> Any:
    """Strict JSON by the plainest means: Python's parser, and a look at every single value."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_bounded_int,
            parse_float=_bounded_float,
            parse_constant=_no_constant,
        )
        text.encode()
    except (ValueError, RecursionError) as error:
        raise NotStrict(str(error)) from error
    if value_count(value) > limits.FRAME_VALUES or level_count(value) > limits.FRAME_LEVELS:
        raise NotStrict("too many")
    _no_surrogates(value)
    return value


def value_count(value: Any) -> int:
    return 1 + sum(value_count(item) for item in _items(value))


def level_count(value: Any) -> int:
    below = max((level_count(item) for item in _items(value)), default=0)
    return below + isinstance(value, list | dict)


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > limits.INTEGER_MAX:
        raise ValueError(digits)
    return int(digits)


def _bounded_float(digits: str) -> float:
    if abs(float(digits)) > limits.INTEGER_MAX:
        raise ValueError(digits)
    return float(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _no_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise NotStrict(str(error)) from error


# --- what may stand in a text, now and then something that may not --------------------------------

_spaces = st.sampled_from(["", "", "", " ", "\n", "\t\r\n  "])
_numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.integers(2**53 - 3, 2**53 + 3).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["-0", "1e5", "1E-7", "0.10", "-1.5e+2", "1e400", "-9007199254740992", "9007199254740991.0"]
    ),
)
_characters = st.one_of(
    st.characters(exclude_categories=["Cs"], exclude_characters='"\\', min_codepoint=0x20),
    st.sampled_from([*",:[]{}", r"\"", r"\\", r"\/", r"\n", r"\u0000", r"\u003a", r"\u003A"]),
    st.sampled_from([r"\u00e9", r"\ud83d\ude00", r"\uD83D\uDE00", r"\\u003a", r"\\ud800", "\x7f"]),
)
_bad_characters = st.sampled_from([r"\ud800", r"\udc00", r"\x", "\n", "\ud800", r"\u12", "\x00"])


def _strings(characters: st.SearchStrategy[str]) -> st.SearchStrategy[JsonText]:
    return st.lists(characters, max_size=6).map(lambda parts: f'"{"".join(parts)}"')


_names = st.sampled_from(['"a"', r'"\u0061"', '"b"', '"a:"', r'"a\u003a"', '""']) | _strings(
    _characters
)


@st.composite
def _lists(draw: st.DrawFn, items: st.SearchStrategy[JsonText]) -> JsonText:
    inside = [draw(_spaces) + item + draw(_spaces) for item in draw(st.lists(items, max_size=4))]
    return "[" + (",".join(inside) or draw(_spaces)) + "]"


@st.composite
def _objects(draw: st.DrawFn, items: st.SearchStrategy[JsonText]) -> JsonText:
    inside = [
        draw(_spaces) + draw(_names) + draw(_spaces) + ":" + draw(_spaces) + item + draw(_spaces)
        for item in draw(st.lists(items, max_size=4))
    ]
    return "{" + (",".join(inside) or draw(_spaces)) + "}"


def _texts(scalars: st.SearchStrategy[JsonText]) -> st.SearchStrategy[JsonText]:
    return st.recursive(scalars, lambda items: _lists(items) | _objects(items), max_leaves=25)


_words = st.sampled_from(["true", "false", "null"])
_nested = st.builds(
    lambda text, opening, times: opening * times + text + {"[": "]", '{"n":': "}"}[opening] * times,
    _numbers | _words,
    st.sampled_from(["[", '{"n":']),
    st.integers(1, 20),
)
_flaws = st.sampled_from(["NaN", "-Infinity", "01", "1.", "+1", "", "'a'", "[1,]", "nul"])

json_texts: st.SearchStrategy[JsonText] = _texts(
    _numbers | _words | _strings(_characters) | _nested
)
doubtful_texts: st.SearchStrategy[JsonText] = _texts(
    _numbers | _words | _strings(_characters | _bad_characters) | _nested | _flaws
)
