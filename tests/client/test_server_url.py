"""What counts as the address of a server, and the one spelling it is remembered by."""

from __future__ import annotations

import pytest

from socp.client.errors import BadAddress
from socp.client.server_url import DEFAULT, meant, parse


@pytest.mark.parametrize(
    ("given", "text", "loopback"),
    [
        (DEFAULT, "ws://localhost:8001", True),
        ("ws://localhost:8001/", "ws://localhost:8001", True),
        (" WS://LocalHost:8001 ", "ws://localhost:8001", True),
        ("ws://[::1]:8001", "ws://[::1]:8001", True),
        ("wss://chat.example.org", "wss://chat.example.org", False),
        ("wss://chat.example.org:443/ws", "wss://chat.example.org/ws", False),
        ("ws://10.0.0.7:9000/chat", "ws://10.0.0.7:9000/chat", False),
    ],
)
def test_one_server_has_one_spelling(given: str, text: str, loopback: bool) -> None:
    url = parse(given)
    assert (url.text, url.loopback) == (text, loopback)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("localhost:8001", "ws://localhost:8001"),
        (" 127.0.0.1:9000", "ws://127.0.0.1:9000"),
        ("chat.example.org", "wss://chat.example.org"),
        ("chat.example.org:8443/ws", "wss://chat.example.org:8443/ws"),
        ("ws://chat.example.org", "ws://chat.example.org"),
    ],
)
def test_who_types_no_scheme_means_tls_but_for_this_machine(typed: str, text: str) -> None:
    assert meant(typed).text == text


@pytest.mark.parametrize("typed", ["", "http://localhost", "two words", "localhost:port", "://"])
def test_what_cannot_be_meant_is_no_address(typed: str) -> None:
    with pytest.raises(BadAddress):
        meant(typed)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8001",
        "http://localhost:8001",
        "ws://",
        "ws://:8001",
        "ws://localhost:0",
        "ws://localhost:99999",
        "ws://localhost:port",
        "ws://me:secret@localhost:8001",
        "ws://localhost:8001/a b",
        "ws://localhost:8001?x=1",
        "ws://localhost:8001#f00",
        "ws://lo\x1b[31mcal:8001",
        "ws://[::1:8001",
    ],
)
def test_anything_else_is_refused_with_a_line_that_says_how_to_write_it(given: str) -> None:
    with pytest.raises(BadAddress, match="write it like ws://localhost:8001") as refused:
        parse(given)
    assert "\x1b" not in str(refused.value)
    assert "\n" not in str(refused.value)
