"""Log lines: their form, and what never stands in them (threats P5 and I8)."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
from collections.abc import Iterator

import pytest

from socp.node.budget import LOG_BYTES
from socp.server import logs


@pytest.fixture
def quiet_root() -> Iterator[None]:
    """Puts logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(style: str, monkeypatch: pytest.MonkeyPatch, *, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    writer = logs.start(level, style)
    log = logging.getLogger("part.of.it")  # one whose level no other test has set
    log.info("Server initialized with ID: %s", "x")
    log.debug("unseen")
    log.log(logs.TRACE, "seen at trace alone")
    log.warning("evil\nINFO:server.server:forged \x1b[31m\u202e")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log.exception("broken")
    writer.flush()
    return stream


@pytest.mark.usefixtures("quiet_root")
def test_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written("plain", monkeypatch).getvalue().splitlines()
    assert lines[0] == "INFO:part.of.it:Server initialized with ID: x"
    assert lines[1] == "WARNING:part.of.it:evil\u240aINFO:server.server:forged \u241b[31m\\u202e"
    assert lines[2:4] == ["ERROR:part.of.it:broken", "Traceback (most recent call last):"]
    assert lines[-1] == "ZeroDivisionError"


@pytest.mark.usefixtures("quiet_root")
def test_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.loads(line) for line in written("json", monkeypatch).getvalue().splitlines()]
    assert lines[0]["message"] == "Server initialized with ID: x"
    assert (lines[0]["level"], lines[0]["logger"]) == ("INFO", "part.of.it")
    assert lines[0]["time"].endswith("+00:00")
    assert "ZeroDivisionError" in lines[2]["traceback"]


@pytest.mark.usefixtures("quiet_root")
def test_trace_is_a_level_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    text = written("plain", monkeypatch, level="trace").getvalue()
    assert "TRACE:part.of.it:seen at trace alone" in text


@pytest.mark.usefixtures("quiet_root")
@pytest.mark.parametrize("style", [logs.PlainFormat(), logs.JsonFormat()])
def test_a_reader_that_does_not_read_loses_lines_is_told_so_and_stops_nobody(
    style: logging.Formatter,
) -> None:
    read, write = os.pipe()
    stuck = os.fdopen(write, "w", buffering=1)
    writer = logs.LogWriter(stuck)
    writer.setFormatter(style)
    record = logging.LogRecord("server.server", 20, "", 0, "x" * 1000, None, None)
    for _ in range(LOG_BYTES // 1000 + 500):
        writer.emit(record)
    with os.fdopen(read) as reader:
        told = next(line for line in iter(reader.readline, "") if "dropped" in line)
    writer.flush()
    with contextlib.suppress(BrokenPipeError):
        stuck.close()
    if isinstance(style, logs.JsonFormat):
        members = json.loads(told)
        assert (members["level"], members["logger"]) == ("WARNING", "server.server")
        told = members["message"]
    assert "log lines dropped, nobody read them" in told


@pytest.mark.threat("P5")
def test_a_traced_frame_shows_who_and_what_but_no_key_and_no_ciphertext() -> None:
    secret = "kJ8d-_" * 120
    frame = json.dumps(
        {
            "type": "MSG_DIRECT",
            "from": "0b5f7e22-94c8-4a7c-9a3b-1f2e3d4c5b6a",
            "payload": {"ciphertext": secret, "sender_pub": "MIICIjAN" * 80},
            "sig": "s" * 683,
        }
    )
    shown = logs.shortened(frame.encode())
    assert "0b5f7e22-94c8-4a7c-9a3b-1f2e3d4c5b6a" in shown
    assert f'"{secret[:12]}...({len(secret)})"' in shown
    assert secret[:30] not in shown
    assert "MIICIjANMIICIjAN" not in shown
    assert len(logs.shortened(b"\xff" * 10_000)) <= logs.LINE_CHARS_MAX


@pytest.mark.threat("P5")
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_traced_hello_shows_no_invitation(separators: tuple[str, str]) -> None:
    code = "3txe-jsla-gctr-m4y7-nkds-aics-f4"
    frame = json.dumps({"payload": {"invitation": code, "client": "x"}}, separators=separators)
    shown = logs.shortened(frame.encode())
    assert code not in shown
    assert '"client"' in shown
