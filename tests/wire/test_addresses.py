"""Bootstrap entries; vectors/wire/addresses.json has the rest (section 5)."""

from __future__ import annotations

import pytest

from socp.wire.addresses import (
    BootstrapEntry,
    HostPort,
    is_loopback,
    parse_ws_url,
    source_of,
)
from socp.wire.errors import Code, PeerFault

pytestmark = pytest.mark.spec("5")

FINGERPRINT = "3f9c" * 16


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("ws://localhost:8001", BootstrapEntry(HostPort("localhost", 8001))),
        ("ws://localhost:8001/", BootstrapEntry(HostPort("localhost", 8001))),
        ("wss://chat.example:443", BootstrapEntry(HostPort("chat.example", 443), tls=True)),
        ("WS://[::1]:8001", BootstrapEntry(HostPort("::1", 8001))),
        (
            f"ws://localhost:8001#{FINGERPRINT.upper()}",
            BootstrapEntry(HostPort("localhost", 8001), fingerprint=FINGERPRINT),
        ),
    ],
)
def test_an_introducer_is_a_url_with_its_keys_fingerprint(text: str, entry: BootstrapEntry) -> None:
    assert parse_ws_url(text) == entry


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:8001",
        "http://localhost:8001",
        "ws://",
        "ws://localhost",
        "ws://localhost:8001/chat",
        "ws://localhost:8001#",
        "ws://localhost:8001#3f9c",
        f"ws://localhost:8001#{FINGERPRINT}0",
        f"ws://localhost:8001#{FINGERPRINT}#",
        "ws://me:secret@localhost:8001",
    ],
)
def test_another_text_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(PeerFault) as refusal:
        parse_ws_url(text)
    assert refusal.value.code == Code.BAD_FRAME
    assert "write ws://host:port" in refusal.value.detail or "host:port" in refusal.value.detail


@pytest.mark.threat("I8")
def test_a_refused_address_is_shown_harmless() -> None:
    with pytest.raises(PeerFault) as refusal:
        parse_ws_url("ws://\x1b[2J" + "x" * 500)
    assert refusal.value.detail.isprintable()
    assert len(refusal.value.detail) < 250


@pytest.mark.parametrize(
    "host", ["", "[]", "127.1", "2130706433", "localhost.example", "::", "١٢٧.0.0.1"]
)
def test_a_host_that_only_may_be_this_machine_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host", ["LOCALHOST", "[::1]", "127.0.0.1", "::ffff:127.0.0.1", "localhost."]
)
def test_loopback_is_known_in_all_its_spellings(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.threat("S1")
@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_one_source_is_one_line_to_a_house(address: str, source: str) -> None:
    assert source_of(address) == source
