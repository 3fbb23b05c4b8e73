"""What a person types, read as they mean it or refused in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.cli.lines.commands import (
    TABLE,
    Cancel,
    Command,
    Help,
    ListUsers,
    Members,
    Plain,
    Quit,
    RevokeKey,
    RotateKey,
    SendFile,
    Tell,
    TellAll,
    Unclear,
    Wait,
    Whois,
    parse,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/tell bob hello there", Tell("bob", "hello there")),
        ("  /tell bob   hello  there ", Tell("bob", "hello  there")),
        ('/tell "Ann Lee" hi', Tell("Ann Lee", "hi")),
        ("/tell 'Ann Lee' it's me", Tell("Ann Lee", "it's me")),
        ("/tell bob", Tell("bob", "")),
        ("/tell bob#1f3c hi", Tell("bob#1f3c", "hi")),
        ("/tell bob one\ntwo\n  three", Tell("bob", "one\ntwo\n  three")),
        ("/TELL bob hi", Tell("bob", "hi")),
        ("/t bob hi", Tell("bob", "hi")),
        ("/all hello", TellAll("hello")),
        ("/all", TellAll("")),
        ("/all\nfirst\nsecond", TellAll("first\nsecond")),
        ("/file bob ~/my plan.pdf", SendFile("bob", "~/my plan.pdf")),
        ("/file all 'a b.txt'", SendFile("all", "'a b.txt'")),
        ("/whois Ann Lee", Whois("Ann Lee")),
        ('/whois "Ann Lee"', Whois("Ann Lee")),
        ("/list", ListUsers()),
        ("/members", Members()),
        ("/cancel", Cancel("")),
        ("/cancel plan.pdf", Cancel("plan.pdf")),
        ("/rotate-key", RotateKey(sure=False)),
        ("/rotate-key yes", RotateKey(sure=True)),
        ("/ro YES", RotateKey(sure=True)),
        ("/revoke-key yes", RevokeKey(sure=True)),
        ("/wait 1.5", Wait(1.5)),
        ("/help", Help()),
        ("/quit", Quit()),
        ("/q", Quit()),
        ("hello", Plain("hello")),
        ("//etc is a folder", Plain("/etc is a folder")),
        ("", None),
        ("  \n ", None),
    ],
)
def test_a_line_is_read_as_meant(line: str, command: Command | None) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/tell", "write /tell NAME text"),
        ('/tell "Ann Lee hi', "does not end"),
        ('/tell "" hi', "write /tell NAME text"),
        ("/file bob", r"write /file NAME\|all path"),
        ("/whois", "write /whois NAME"),
        ("/list them", "/list takes nothing after it"),
        ("/quit\n/all hello", "/quit takes nothing after it"),
        ("/wait", "write /wait SECONDS"),
        ("/wait long", "write /wait SECONDS"),
        ("/wait -1", "0 to 3600 seconds"),
        ("/wait nan", "0 to 3600 seconds"),
        ("/w bob", "/w can be /whois or /wait"),
        ("/join us", "there is no /join; /help lists all"),
        ("/", "there is no /;"),
        ("/\x1b[2Jx", "there is no /␛"),
    ],
)
def test_a_line_that_is_unclear_is_answered_with_what_to_type(line: str, why: str) -> None:
    with pytest.raises(Unclear, match=why) as unclear:
        parse(line)
    assert str(unclear.value).isprintable()


@given(st.text())
def test_every_line_is_a_command_or_unclear(line: str) -> None:
    for text in (line, f"/{line}", f"/tell {line}", f"/wait {line}"):
        try:
            parse(text)
        except Unclear as unclear:
            assert str(unclear).isprintable()  # noqa: PT017 - either outcome is right


def test_every_command_can_be_shortened_or_written_out() -> None:
    for word, arguments, _ in TABLE:
        line = f"/{word} {arguments.replace('SECONDS', '1').replace('[file name]', '')}".strip()
        assert parse(line) is not None
