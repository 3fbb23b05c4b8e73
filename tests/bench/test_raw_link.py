"""The user on a bare socket reads as clients do: a ping is answered, an ERROR is an answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from socp.bench.raw_link import RawLink, Refused
from tests.keys import test_key


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, RawLink]]:
    """A server's end, and the user's."""
    server, user = socket.socketpair()
    with server, user:
        server.settimeout(60)
        user.settimeout(60)
        yield server, RawLink(user, test_key(0))


def text(kind: str, **payload: str) -> bytes:
    data = json.dumps({"type": kind, "payload": payload}).encode()
    return bytes((0x81, len(data))) + data


def test_a_ping_is_answered_with_what_it_said(ends: tuple[socket.socket, RawLink]) -> None:
    server, user = ends
    server.sendall(b"\x89\x03abc" + text("ACK"))
    user.wait_for("ACK")
    assert server.recv(100) == b"\x8a\x83" + bytes(4) + b"abc"


def test_an_error_in_place_of_the_answer_is_told_with_its_code(
    ends: tuple[socket.socket, RawLink],
) -> None:
    server, user = ends
    server.sendall(text("ERROR", code="RATE_LIMITED", detail="later") + text("ACK"))
    with pytest.raises(Refused, match="RATE_LIMITED") as refusal:
        user.wait_for("ACK")
    assert refusal.value.code == "RATE_LIMITED"
    user.wait_for("ACK")


def test_a_close_ends_the_wait(ends: tuple[socket.socket, RawLink]) -> None:
    server, user = ends
    server.sendall(b"\x88\x02" + (1013).to_bytes(2, "big"))
    with pytest.raises(ConnectionError, match="1013"):
        user.wait_for("ACK")
