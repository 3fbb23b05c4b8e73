"""Files to send, as they are found on a disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from socp.client.errors import FileUnsendable
from socp.client.sources import look, measure
from socp.wire import limits

PIECE = limits.FILE_CHUNK_BYTES


def test_a_file_is_measured_and_hashed_whole_and_by_piece(tmp_path: Path) -> None:
    content = os.urandom(PIECE * 2 + 5)
    path = tmp_path / "plan.txt"
    path.write_bytes(content)
    source = measure(path)
    pieces = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
    assert (source.name, source.size) == ("plan.txt", len(content))
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert source.chunk_hashes == b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    assert source.read(PIECE, PIECE) == pieces[1]
    assert source.read(2 * PIECE, 5) == pieces[2]
    source.close()


def test_an_empty_file_can_be_sent(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    source = measure(tmp_path / "empty")
    assert (source.size, source.chunk_hashes) == (0, b"")
    source.close()


def test_a_file_that_changes_while_it_is_sent_is_not_sent_further(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"1" * 100)
    source = measure(path)
    path.write_bytes(b"2" * 100)
    os.utime(path, ns=(0, 0))
    with pytest.raises(FileUnsendable, match="changed while it was being sent"):
        source.read(0, 100)
    source.close()


def test_a_file_cut_short_while_it_is_sent_is_not_sent_further(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"1" * 100)
    source = measure(path)
    os.truncate(path, 10)
    with pytest.raises(FileUnsendable, match="changed while it was being sent"):
        source.read(0, 100)
    source.close()


def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").touch(mode=0o000)
    cases = {
        tmp_path: "is a folder; pack it",
        tmp_path / "pipe": "is not a file",
        tmp_path / "absent": "No such file",
        Path("/dev/null"): "is not a file",
        Path("a\0b"): "is no path",
    }
    if os.geteuid() != 0:
        cases[tmp_path / "secret"] = "Permission denied"
    for path, why in cases.items():
        with pytest.raises(FileUnsendable, match=why) as refused:
            measure(path)
        assert "\n" not in str(refused.value)
        with pytest.raises(FileUnsendable, match=why):
            look(path)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    path.touch()
    os.truncate(path, limits.FILE_BYTES + 1)
    with pytest.raises(FileUnsendable, match="has 1,073,741,825 bytes and 1,073,741,824 can"):
        measure(path)


@pytest.mark.threat("I8")
def test_a_path_with_escapes_in_it_is_harmless_in_the_complaint(tmp_path: Path) -> None:
    with pytest.raises(FileUnsendable) as refused:
        measure(tmp_path / "\x1b[2J\u202e")
    assert str(refused.value).isprintable()
