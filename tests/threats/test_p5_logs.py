"""P5: log files that hold keys, texts or tokens.

Runs last, and reads every log of the whole suite.
"""

from __future__ import annotations

import logging
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from socp.server.logs import TRACE
from socp.wire import base64url
from tests import logbook
from tests.keys import COUNT, test_key
from tests.mesh.launch import PROJECT, running
from tests.mesh.test_v13_client import BOB, hello_two
from tests.mesh.v13 import now_ms

SECRET = "meet me at the old mill at nine"
ANY_PRIVATE_KEY = re.compile(
    r"PRIVATE KEY|MIIJ[A-Za-z0-9+/_-]{20}|AGE-SECRET|RSAPrivateNumbers", re.ASCII
)
PRIVATE_PART = (800, 1400, 2000)  # characters of the base64 that belong to d, p and q
NEEDLE_CHARS = 32


def needles() -> list[str]:
    """Pieces of the private half of each stored test key,
    in every alphabet of base64 and in hex."""
    found = []
    for number in range(COUNT):
        der = test_key(number).to_bytes()
        text = base64url.encode(der)
        for start in PRIVATE_PART:
            piece = text[start : start + NEEDLE_CHARS]
            found += [piece, piece.replace("-", "+").replace("_", "/")]
            raw = start * 3 // 4
            found.append(der[raw : raw + NEEDLE_CHARS // 2].hex())
    return found


async def talk_with_every_frame_logged(folder: Path) -> str:
    """One message through a server that traces; its log."""
    flags = ("--ephemeral", "--bootstrap", "none", "--log-level", "trace")
    with running(folder, *flags) as server:
        async with AsyncExitStack() as stack:
            alice, bob = await hello_two(stack, server)
            ts = now_ms()
            message = alice.message(SECRET.encode(), BOB, bob.public, ts)
            await alice.say("MSG_DIRECT", message, to=BOB, ts=ts)
            got = await bob.hears("USER_DELIVER")
            assert bob.read(got["payload"]["ciphertext"]).decode() == SECRET
        server.stop()
    return server.log()


@pytest.mark.last
@pytest.mark.threat("P5")
async def test_no_log_of_the_suite_holds_a_private_key_or_what_people_wrote(
    tmp_path: Path,
) -> None:
    traced = await talk_with_every_frame_logged(tmp_path)
    assert "MSG_DIRECT" in traced
    assert SECRET in logbook.texts()
    logs, private = logbook.written("log"), needles()
    assert any("MSG_DIRECT" in log for log in logs)
    # A word that our own lines use would be found too: what people say in tests is none of them.
    assert not {text for text in logbook.texts() for log in logs if text in log}
    for text in [*logs, *logbook.written("screen")]:
        assert not ANY_PRIVATE_KEY.search(text), ANY_PRIVATE_KEY.search(text)
        assert not [needle for needle in private if needle in text]


@pytest.mark.threat("P5")
def test_the_search_finds_what_it_looks_for() -> None:
    key = test_key(0)
    text = base64url.encode(key.to_bytes())
    assert ANY_PRIVATE_KEY.search(f"oops {text}")
    assert [needle for needle in needles() if needle in text]
    assert not ANY_PRIVATE_KEY.search(key.public.text)
    assert not [needle for needle in needles() if needle in key.public.text]


@pytest.mark.threat("P5")
def test_every_logger_of_ours_belongs_to_a_part_whose_lines_are_all_kept() -> None:
    named = re.compile(r'getLogger\("([^"]+)"\)|^[A-Z_]+ = "(server\.\w+)"$', re.MULTILINE)
    names = {
        found[1] or found[2]
        for file in (PROJECT / "src").rglob("*.py")
        for found in named.finditer(file.read_text())
    }
    assert names
    libraries = {"aiohttp.websocket"}
    assert {name.partition(".")[0] for name in names - libraries} == set(logbook.PARTS)
    for part in logbook.PARTS:
        assert logging.getLogger(part).isEnabledFor(TRACE)
