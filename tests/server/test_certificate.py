"""The TLS certificate of the port, read again on SIGHUP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from pathlib import Path

import aiohttp
import pytest

from socp.node.budget import Budget
from socp.server import listeners
from socp.server.faults import StartFault
from socp.server.starting import Certificate
from tests.server.certificates import certificate
from tests.server.rig import Shell, running


async def shown(shell: Shell) -> bytes:
    """The certificate that a newcomer is shown, DER."""
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    url = f"wss://localhost:{shell.port}"
    async with shell.session.ws_connect(url, ssl=careless) as socket:
        found = socket.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(found, bytes)
        return found


async def test_a_new_certificate_is_shown_to_newcomers_and_a_bad_one_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain, key = certificate(tmp_path)
    served = Certificate(chain, key)
    async with running(tmp_path, tls=served.context) as shell:
        first = await shown(shell)
        certificate(tmp_path)  # in the same place
        with caplog.at_level(logging.INFO):
            served.reload()
        second = await shown(shell)
        assert first != second
        key.write_text("damaged")
        served.reload()
        assert await shown(shell) == second
    assert "Read the certificate again" in caplog.text
    assert "The old certificate stays in use" in caplog.text
    assert "damaged" not in caplog.text


def test_files_that_do_not_belong_together_are_one_line(tmp_path: Path) -> None:
    chain, _ = certificate(tmp_path)
    _, other = certificate(tmp_path, "other.example")
    with pytest.raises(StartFault) as fault:
        Certificate(chain, other)
    assert "check both files" in str(fault.value)
    assert "\n" not in str(fault.value)


async def silent(shell: Shell) -> asyncio.StreamReader:
    """A connection that begins no handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shell.port)
    shell.writers.append(writer)
    return reader


async def crowded(shell: Shell, most: int) -> None:
    """So many silent ones are waited for, one more is not; and when they left, others come in."""
    waiting = [await silent(shell) for _ in range(most)]
    assert await asyncio.wait_for((await silent(shell)).read(), 5) == b""
    assert not any(each.at_eof() for each in waiting)
    for writer in shell.writers[:most]:
        writer.close()
    async with asyncio.timeout(10):
        while True:  # until the server has noticed
            with contextlib.suppress(aiohttp.ClientError):
                assert await shown(shell)
                break


@pytest.mark.threat("S1")
@pytest.mark.threat("S11")
async def test_who_is_silent_before_tls_is_counted_by_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "plain_address", lambda _text: "192.0.2.7")
    served = Certificate(*certificate(tmp_path))
    async with running(tmp_path, tls=served.context, max_per_address=3) as shell:
        await crowded(shell, 3)


@pytest.mark.threat("S1")
@pytest.mark.threat("S11")
async def test_who_is_silent_before_tls_is_counted_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "rows", lambda _budget, _table: 24)
    served = Certificate(*certificate(tmp_path))
    async with running(tmp_path, tls=served.context) as shell:
        await crowded(shell, 3)
