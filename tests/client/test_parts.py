"""Files that may be gone on with later: they lie beside the downloads until then (section 8)."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from socp.client.errors import FileUnstorable, FileWrong
from socp.client.sinks import PARTS, Downloads

pytestmark = pytest.mark.spec("8")
PART = "0123456789abcdef" * 2
PIECE = 1000
DATA = hashlib.shake_128(b"a file").digest(4_500)
HASHES = b"".join(
    hashlib.sha256(DATA[at : at + PIECE]).digest() for at in range(0, len(DATA), PIECE)
)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads")


def parts(downloads: Downloads) -> list[Path]:
    return sorted((downloads.folder / PARTS).iterdir())


def begun(downloads: Downloads, upto: int) -> None:
    """An attempt that broke off after so many bytes."""
    sink = downloads.open_sink(len(DATA), PART)
    assert sink.look_through(PIECE, HASHES) == 0
    sink.write(0, DATA[:upto])
    sink.leave()


def test_what_is_here_of_a_file_is_gone_on_with_and_named_when_it_is_whole(
    downloads: Downloads,
) -> None:
    begun(downloads, 2 * PIECE)
    assert [path.name for path in downloads.folder.iterdir()] == [PARTS]
    assert stat.S_IMODE(parts(downloads)[0].stat().st_mode) == 0o600
    sink = downloads.open_sink(len(DATA), PART)
    assert sink.look_through(PIECE, HASHES) == 2
    sink.write(2 * PIECE, DATA[2 * PIECE :])
    assert sink.finish("plan.txt", len(DATA), SHA256).read_bytes() == DATA
    assert parts(downloads) == []


@pytest.mark.threat("M5")
@pytest.mark.parametrize("place", [0, 1_500, 2_999])
def test_only_what_is_right_counts_as_here(downloads: Downloads, place: int) -> None:
    begun(downloads, 3 * PIECE)
    (part,) = parts(downloads)
    with part.open("r+b") as file:
        file.seek(place)
        file.write(bytes([DATA[place] ^ 1]))
    sink = downloads.open_sink(len(DATA), PART)
    assert sink.look_through(PIECE, HASHES) == place // PIECE
    sink.leave()


def test_a_whole_part_with_a_short_last_piece_is_all_here(downloads: Downloads) -> None:
    begun(downloads, len(DATA))
    sink = downloads.open_sink(len(DATA), PART)
    assert sink.look_through(PIECE, HASHES) == 5
    sink.leave()


@pytest.mark.threat("M5")
def test_a_part_that_is_not_what_was_announced_is_removed(downloads: Downloads) -> None:
    sink = downloads.open_sink(len(DATA), PART)
    sink.write(0, DATA)
    with pytest.raises(FileWrong):
        sink.finish("plan.txt", len(DATA), "0" * 64)
    assert parts(downloads) == []


def test_a_disk_that_fails_at_the_end_leaves_the_part(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = downloads.open_sink(len(DATA), PART)
    sink.write(0, DATA)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", full)
        with pytest.raises(FileUnstorable, match="make room"):
            sink.finish("plan.txt", len(DATA), SHA256)
    assert len(parts(downloads)) == 1


@pytest.mark.threat("M5")
@pytest.mark.threat("S8")
@pytest.mark.parametrize("what", ["link", "second name", "pipe"])
def test_something_else_in_the_place_of_a_part_is_not_written_to_and_stops_nothing(
    downloads: Downloads, tmp_path: Path, what: str
) -> None:
    downloads.open_sink(1).drop()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    place = downloads.folder / PARTS / f"{PART}.part"
    if what == "link":
        place.symlink_to(victim)
    elif what == "second name":
        place.hardlink_to(victim)
    else:
        os.mkfifo(place)
    sink = downloads.open_sink(len(DATA), PART)
    assert sink.look_through(PIECE, HASHES) == 0
    sink.write(0, DATA)
    assert sink.finish("plan.txt", len(DATA), SHA256).read_bytes() == DATA
    assert victim.read_bytes() == b"precious"


@pytest.mark.threat("M5")
@pytest.mark.parametrize("name", ["../../evil", "a", "0" * 31, PART + "/", PART.upper()])
def test_a_part_has_no_name_that_leads_elsewhere(downloads: Downloads, name: str) -> None:
    with pytest.raises(FileUnstorable):
        downloads.open_sink(1, name)
    with pytest.raises(FileUnstorable):
        downloads.drop_part(name)


def test_one_program_at_a_time_receives_a_file(downloads: Downloads) -> None:
    sink = downloads.open_sink(len(DATA), PART)
    with pytest.raises(FileUnstorable, match="another program receives this file"):
        downloads.open_sink(len(DATA), PART)
    sink.leave()
    downloads.open_sink(len(DATA), PART).leave()


def test_a_part_is_swept_away_after_30_days_and_not_before(downloads: Downloads) -> None:
    begun(downloads, PIECE)
    (part,) = parts(downloads)
    day_s = 24 * 3600
    for days, left in ((29, 1), (31, 0)):
        then = os.stat(downloads.folder).st_mtime - days * day_s
        os.utime(part, (then, then))
        downloads.sweep()
        assert len(parts(downloads)) == left


def test_a_part_that_is_dropped_is_gone(downloads: Downloads) -> None:
    begun(downloads, PIECE)
    downloads.drop_part(PART)
    downloads.drop_part(PART)
    assert parts(downloads) == []


def test_room_that_a_part_has_already_is_not_asked_for_again(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk lets a file be gone on with that has its bytes there."""
    large = 64 * 1024 * 1024
    sink = downloads.open_sink(large, PART)
    for at in range(0, large, 1024 * 1024):
        sink.write(at, bytes([1]) * 1024 * 1024)
    sink.leave()
    disk = os.statvfs(downloads.folder)

    class Full:
        f_bavail, f_frsize = 20 * 1024 * 1024 // disk.f_frsize, disk.f_frsize

    monkeypatch.setattr(os, "fstatvfs", lambda _folder: Full)
    with pytest.raises(FileUnstorable, match="has room for 4 MiB only"):
        downloads.open_sink(large)
    downloads.open_sink(large, PART).drop()
