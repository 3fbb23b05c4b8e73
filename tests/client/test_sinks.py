"""Received files on a real disk: private until complete, never over another, nothing left."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from socp.client.errors import FileUnstorable
from socp.client.sinks import PARTS, Downloads

CONTENT = b"a file's content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads")


def received(downloads: Downloads, name: str, content: bytes = CONTENT) -> Path:
    sink = downloads.open_sink(len(content))
    sink.write(0, content)
    return sink.finish(name, len(content), hashlib.sha256(content).hexdigest())


def files(downloads: Downloads) -> set[str]:
    return {str(p.relative_to(downloads.folder)) for p in downloads.folder.rglob("*")} - {PARTS}


def test_a_complete_file_gets_its_name_and_is_its_owners_alone(downloads: Downloads) -> None:
    path = received(downloads, "plan.txt")
    assert path == downloads.folder / "plan.txt"
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files(downloads) == {"plan.txt"}


def test_pieces_may_come_in_any_order(downloads: Downloads) -> None:
    sink = downloads.open_sink(len(CONTENT))
    sink.write(7, CONTENT[7:])
    sink.write(0, CONTENT[:7])
    assert sink.finish("plan.txt", len(CONTENT), SHA256).read_bytes() == CONTENT


@pytest.mark.threat("M5")
def test_while_it_arrives_it_has_a_name_nobody_can_guess(downloads: Downloads) -> None:
    sink = downloads.open_sink(len(CONTENT))
    sink.write(0, CONTENT)
    (part,) = (downloads.folder / PARTS).iterdir()
    assert len(part.name) == 32
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE(part.parent.stat().st_mode) == 0o700
    sink.drop()
    assert not files(downloads)


@pytest.mark.threat("M5")
def test_a_file_that_is_there_is_never_overwritten(downloads: Downloads) -> None:
    names = [received(downloads, "plan.tar.gz", bytes([n])).name for n in range(3)]
    assert len(set(names)) == 3
    assert [(downloads.folder / name).read_bytes() for name in names] == [b"\0", b"\1", b"\2"]
    assert received(downloads, "a.txt").name == "a.txt"
    assert received(downloads, "a.txt").name == "a (2).txt"


@pytest.mark.threat("M5")
def test_a_link_of_that_name_is_neither_followed_nor_replaced(
    downloads: Downloads, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    downloads.folder.mkdir()
    (downloads.folder / "a.txt").symlink_to(victim)
    (downloads.folder / "b.txt").symlink_to(tmp_path / "not there")
    assert received(downloads, "a.txt").name == "a (2).txt"
    assert received(downloads, "b.txt").name == "b (2).txt"
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "not there").exists()


@pytest.mark.threat("M5")
def test_a_parts_folder_that_is_a_link_is_not_used(downloads: Downloads, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    downloads.folder.mkdir()
    (downloads.folder / PARTS).symlink_to(elsewhere)
    with pytest.raises(FileUnstorable):
        downloads.open_sink(1)
    assert not list(elsewhere.iterdir())


@pytest.mark.threat("M5")
@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "..\\..\\x",
        "C:\\x",
        ".bashrc",
        PARTS,
        f"{PARTS}/x",
        "a\0b",
        "a\nb",
        "\u202etxt.exe",
        "\x1b[2Jx",
        "x" * 5000,
        "🎈" * 300,
    ],
)
def test_whatever_name_it_is_offered_under_it_lands_in_the_folder(
    downloads: Downloads, tmp_path: Path, name: str
) -> None:
    path = received(downloads, name)
    assert path.parent == downloads.folder
    assert path.read_bytes() == CONTENT
    assert not path.name.startswith(".")
    assert path.name.isprintable()
    assert {p.name for p in tmp_path.iterdir()} == {"downloads"}


@pytest.mark.threat("M5")
@pytest.mark.parametrize(
    ("size", "sha256"),
    [(len(CONTENT), "0" * 64), (len(CONTENT) + 1, SHA256), (len(CONTENT) - 1, SHA256)],
)
def test_a_file_that_is_not_the_one_announced_is_not_kept(
    downloads: Downloads, size: int, sha256: str
) -> None:
    sink = downloads.open_sink(len(CONTENT))
    sink.write(0, CONTENT)
    with pytest.raises(FileUnstorable, match="ask for it again"):
        sink.finish("plan.txt", size, sha256)
    assert not files(downloads)


def test_a_full_disk_is_one_line_and_leaves_nothing(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sink = downloads.open_sink(len(CONTENT))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(FileUnstorable, match="No space left on device; make room") as fault:
        sink.write(0, CONTENT)
    assert "\n" not in str(fault.value)
    sink.drop()
    assert not files(downloads)


def test_a_file_for_which_there_is_no_room_is_not_begun(downloads: Downloads) -> None:
    with pytest.raises(FileUnstorable, match=r"has room for \d+ MiB only"):
        downloads.open_sink(2**60)
    assert not files(downloads)


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileUnstorable, match="choose another --downloads"):
        Downloads(tmp_path / "file" / "downloads").open_sink(1)


def test_a_file_system_without_second_names_will_do(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    assert received(downloads, "a.txt").name == "a.txt"
    assert received(downloads, "a.txt").name == "a (2).txt"
    assert files(downloads) == {"a.txt", "a (2).txt"}


def test_after_the_end_nothing_is_written_and_dropping_is_harmless(downloads: Downloads) -> None:
    sink = downloads.open_sink(len(CONTENT))
    sink.write(0, CONTENT)
    path = sink.finish("a.txt", len(CONTENT), SHA256)
    sink.drop()
    with pytest.raises(FileUnstorable):
        sink.write(0, b"more")
    assert path.read_bytes() == CONTENT


def test_what_a_killed_process_left_is_swept_away_and_what_is_in_use_stays(
    downloads: Downloads,
) -> None:
    in_use = downloads.open_sink(1)
    parts = downloads.folder / PARTS
    (used,) = (part.name for part in parts.iterdir())
    for name in ("abandoned", "young"):
        (parts / name).write_bytes(b"half")
    for name in ("abandoned", used):
        os.utime(parts / name, (0, 0))
    downloads.sweep()
    assert {part.name for part in parts.iterdir()} == {used, "young"}
    in_use.drop()


def test_sweeping_where_nothing_is_is_harmless(downloads: Downloads) -> None:
    downloads.sweep()
    assert not downloads.folder.exists()


def test_received_files_leave_no_descriptor_open(downloads: Downloads) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(5):
        received(downloads, "a.txt")
    with pytest.raises(FileUnstorable):
        downloads.open_sink(2**60)
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert before == after
