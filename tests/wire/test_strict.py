"""The strict parser against a plain one that looks at everything, slowly (section 2)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings

from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.strict import LONG, levels, loads
from tests.wire.jsontext import NotStrict, doubtful_texts, json_texts, reference_loads

pytestmark = [pytest.mark.spec("2"), pytest.mark.threat("M7")]


def agrees_with_the_reference(text: str) -> None:
    try:
        expected = reference_loads(text)
    except NotStrict:
        with pytest.raises(PeerFault) as refusal:
            loads(text)
        assert refusal.value.code == Code.BAD_FRAME
    else:
        value = loads(text)
        assert repr(value) == repr(expected), "repr tells 1 from 1.0 and 0.0 from -0.0"


@settings(max_examples=300, deadline=None)
@given(json_texts)
@example('{"a":1,"a":1,"b":"\\u003a"}')
@example('{"a":{"b":":"},"a":"::","c":"\\u003a\\u003A"}')
@example('{"a:":1,"a\\u003a":1}')
def test_it_takes_what_is_strict_and_nothing_else(text: str) -> None:
    agrees_with_the_reference(text)


@settings(max_examples=100, deadline=None)
@given(json_texts)
@example('{"a":1,"a":1}')
@example('{"a":{},"a":1,"b":"{:"}')
@example('[{"a":1,"a":1}]')
@example('{"a":":","b":[{"a":1,"a":"\\u003a"}]}')
@example('{"a":"::","b":1,"b":2}')
@example('{"a":":::","b":1,"b":2,"c":3,"c":4}')
@example('{"a":1,"a":2,"b":"\\u003a"}')
@example('{"a":":","a":2,"b":":"}')
@example('{"' + '":1,"'.join(map(str, range(200))) + '":":"}')
@example('{"' + '":1,"'.join(map(str, [*range(200), 7])) + '":1}')
def test_it_sees_as_much_in_a_long_text(text: str) -> None:
    long = "x" * LONG
    agrees_with_the_reference(f'{{"long":"{long}","short":{text}}}')
    agrees_with_the_reference(f'{{"long":"{long}:","sig":"x:y","short":{text}}}')


@settings(max_examples=300, deadline=None)
@given(doubtful_texts)
def test_it_refuses_what_is_no_json_at_all(text: str) -> None:
    agrees_with_the_reference(text)


@pytest.mark.parametrize("level", range(1, 20))
@pytest.mark.parametrize("number", ["1", "9007199254740992", "1e16", "9" * 30, "-0.5"])
def test_it_looks_at_numbers_at_every_level(level: int, number: str) -> None:
    agrees_with_the_reference("[" * level + number + "]" * level)


@pytest.mark.parametrize("level", range(1, 20))
def test_it_sees_a_repeated_member_at_every_level(level: int) -> None:
    agrees_with_the_reference('{"x":' * level + '{"a":1,"b":2,"a":3}' + "}" * level)


def test_the_detail_begins_with_the_name_of_the_text() -> None:
    with pytest.raises(PeerFault, match="BAD_FRAME: content: a: member"):
        loads('{"a":{"b":1,"b":2}}', what="content")


def test_a_path_of_long_names_is_cut() -> None:
    with pytest.raises(PeerFault) as refusal:
        loads(f'{{"{"x" * 5000}":{{"y":1,"y":2}}}}')
    assert len(refusal.value.detail) < 300


def test_a_raw_lone_surrogate_is_named_by_its_place() -> None:
    with pytest.raises(PeerFault, match=r"lone surrogate \\udcff at character 2"):
        loads('["\udcff"]')


@pytest.mark.parametrize(("text", "place"), [("-Infinity", 0), ("[-Infinity]", 1), ("[NaN]", 1)])
def test_what_is_no_number_is_named_with_its_place(text: str, place: int) -> None:
    with pytest.raises(PeerFault, match=f"is not JSON, at byte {place}"):
        loads(text)


def test_escaped_quotes_in_a_text_are_not_counted_as_texts() -> None:
    text = '"' + '\\",' * (2 * limits.FRAME_VALUES + 10) + '"'
    assert loads(text) == '",' * (2 * limits.FRAME_VALUES + 10)


def test_a_type_with_so_many_levels_takes_no_more_of_them_and_fractions_only_if_asked() -> None:
    whole = msgspec.json.Decoder(levels(1, fractions=False))
    for taken in ("[1]", '{"a":null}', "true", '["a"]', "[]"):
        assert whole.decode(taken) == msgspec.json.decode(taken)
    for refused in ("[[1]]", '{"a":{}}', "[1.5]", "1.5", f"[{limits.INTEGER_MAX + 1}]"):
        with pytest.raises(msgspec.ValidationError):
            whole.decode(refused)
    parts = msgspec.json.Decoder(levels(2, fractions=True))
    assert parts.decode("[[1.5]]") == [[1.5]]
