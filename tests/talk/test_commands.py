"""What a person types, read as they mean it or refused in one sentence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.talk.commands import (
    TABLE,
    Cancel,
    Command,
    Delete,
    Edit,
    Help,
    ListUsers,
    Members,
    Plain,
    Quit,
    React,
    Receipts,
    Reply,
    RevokeKey,
    RotateKey,
    Search,
    SendFile,
    ShowHistory,
    Tell,
    TellAll,
    Trust,
    Unclear,
    Verify,
    Wait,
    Whois,
)
from socp.talk.parsing import parse, typed


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
        ("/reply yes please", Reply(0, "yes please")),
        ("/r #12 yes", Reply(12, "yes")),
        ("/reply #tag is text", Reply(0, "#tag is text")),
        ("/edit #7 nine, not eight", Edit(7, "nine, not eight")),
        ("/delete", Delete(0)),
        ("/d #3", Delete(3)),
        ("/react +1", React(0, "+1")),
        ("/react #4 -", React(4, "")),
        ("/history", ShowHistory("", 20)),
        ("/history 5", ShowHistory("", 5)),
        ("/history bob", ShowHistory("bob", 20)),
        ("/history Ann Lee 50", ShowHistory("Ann Lee", 50)),
        ("/history all 1000", ShowHistory("all", 1000)),
        ("/search two words", Search("two words")),
        ("/verify bob", Verify("bob", "")),
        ("/verify bob 12345 67890", Verify("bob", "12345 67890")),
        ("/trust bob", Trust("bob", "")),
        ("/trust 'Ann Lee' KEEP", Trust("Ann Lee", "keep")),
        ('/whois "Ann Lee"', Whois("Ann Lee")),
        ("/list", ListUsers()),
        ("/members", Members("")),
        ("/members verified", Members("verified")),
        ("/receipts", Receipts("")),
        ("/receipts OFF", Receipts("off")),
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
        ("/receipts maybe", r"write /receipts \[on\|off\]"),
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
        line = re.sub(r"\[.*\]", "", f"/{word} {arguments.replace('SECONDS', '1')}").strip()
        assert parse(line) is not None


def test_a_choice_of_readers_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(Unclear, match=r"write /members \[all\|verified\|plain\|leave-out\]"):
        parse("/members nobody")


@pytest.mark.parametrize("said", ["hello", "/quit", "//", "/", " /delete", "one\n/two", "#1"])
def test_what_was_said_once_can_be_typed_so_that_it_is_said_and_does_nothing(said: str) -> None:
    assert parse(typed(said)) == Plain(said.strip())
