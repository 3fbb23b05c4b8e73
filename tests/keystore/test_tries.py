"""Wrong passphrases make the next one wait, and nobody is locked out (threat P4)."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from socp.keystore import tries

NOW = 1_700_000_000_000

pytestmark = pytest.mark.threat("P4")


def test_each_wrong_one_makes_the_next_wait_longer_up_to_a_bound(tmp_path: Path) -> None:
    assert tries.wait_ms(tmp_path, NOW) == 0
    waits = []
    for _ in range(8):
        tries.wrong(tmp_path, NOW)
        waits.append(tries.wait_ms(tmp_path, NOW))
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
    assert tries.wait_ms(tmp_path, NOW + 20_000) == 10_000
    assert tries.wait_ms(tmp_path, NOW + 30_000) == 0


def test_a_right_one_begins_the_count_anew(tmp_path: Path) -> None:
    tries.wrong(tmp_path, NOW)
    tries.right(tmp_path)
    tries.right(tmp_path)
    assert tries.wait_ms(tmp_path, NOW) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("clock", [0, NOW - 10**9, NOW + 10**12])
def test_a_clock_that_is_set_never_makes_the_wait_longer(tmp_path: Path, clock: int) -> None:
    for _ in range(200):
        tries.wrong(tmp_path, NOW)
    assert 0 <= tries.wait_ms(tmp_path, clock) <= tries.WAIT_MS_MAX


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"wrong": "many"}',
        b'{"wrong": -5, "last_ms": 0}',
        b'{"\xff": 1}',
        b'{"x": ' + b"[" * 10_000,
    ],
)
def test_a_count_that_is_damaged_locks_nobody_out(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / tries.TRIES_FILE
    file.write_bytes(content)
    file.chmod(0o600)
    assert tries.wait_ms(tmp_path, NOW) == 0
    tries.wrong(tmp_path, NOW)
    assert tries.wait_ms(tmp_path, NOW) <= 1_000


def test_where_nothing_can_be_written_nobody_is_kept_from_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries.wrong(tmp_path, 0)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("os.unlink", read_only)
    monkeypatch.setattr("os.rename", read_only)
    tries.right(tmp_path)
    tries.wrong(tmp_path, 0)
