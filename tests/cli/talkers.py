"""People at `socp chat` as processes of their own, with pipes for hands and eyes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from socp.crypto.vault import Vault, new_master
from socp.keystore import keep, vault_file
from socp.keystore.vault_file import Locked, VaultKey
from tests import logbook
from tests.keys import test_key

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
COMMAND = [sys.executable, "-m", "socp.cli.main", "chat"]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("SOCP_")},
    "PYTHONPATH": str(PROJECT / "src"),
    "PYTHONWARNINGS": "error",
    "PYTHONASYNCIODEBUG": "",
    "SOCP_VAULT": "plain",  # where a test wants it otherwise, it says so
}


def give_key(profile: Path, number: int) -> None:
    """A stored test key, so that nobody waits for one to be made."""
    profile.mkdir(parents=True, mode=0o700)
    master = new_master()
    vault_file.keep(profile, VaultKey(Locked.PLAIN, master))
    keep(profile / "key.pem", test_key(number), Vault(master))


def flags(folder: Path, url: str, name: str, *more: str) -> list[str]:
    """Everything of theirs is in `folder`."""
    places = ["--profile-dir", str(folder / name), "--downloads", str(downloads(folder, name))]
    return ["--server", url, "--as", name, *places, *more]


def downloads(folder: Path, name: str) -> Path:
    return folder / f"{name}-downloads"


@dataclass
class Talker:
    """One process; `out` and `err` are its lines so far."""

    process: subprocess.Popen[str]
    downloads: Path
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def says(self, *lines: str) -> None:
        """Type these."""
        assert self.process.stdin
        for line in lines:
            logbook.commanded(line)
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def reads(self, pattern: str, *, times: int = 1, seconds: float = PATIENCE_S) -> re.Match[str]:
        """A line on standard output that matches, there already or yet to come."""
        return self._waits(self.out, pattern, times, seconds)

    def is_told(self, pattern: str, *, seconds: float = PATIENCE_S) -> re.Match[str]:
        """The same on standard error."""
        return self._waits(self.err, pattern, 1, seconds)

    def leaves(self) -> int:
        """Close its input; the exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S * 2)

    def _waits(self, lines: list[str], pattern: str, times: int, seconds: float) -> re.Match[str]:
        found: list[re.Match[str]] = []

        def there() -> bool:
            found[:] = [match for line in lines if (match := re.search(pattern, line))]
            return len(found) >= times

        with self.changed:
            self.changed.wait_for(there, seconds)
        said = "\n".join(["--- out", *self.out, "--- err", *self.err])
        assert len(found) >= times, f"nothing matches {pattern!r}:\n{said}"
        return found[-1]

    def listen(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self.changed:
                lines.append(line.rstrip("\n"))
                self.changed.notify_all()


@contextmanager
def talking(
    folder: Path, url: str, name: str, *more: str, key: int | None = None
) -> Iterator[Talker]:
    """`socp chat` for `name`, with the stored key of that number; killed when the test is over."""
    if key is not None and not (folder / name).exists():
        give_key(folder / name, key)
    words = [*COMMAND, *flags(folder, url, name, *more)]
    with listening(words, ENVIRONMENT, downloads(folder, name)) as talker:
        yield talker


@contextmanager
def listening(
    words: list[str], environment: dict[str, str], files: Path = Path()
) -> Iterator[Talker]:
    """A process with pipes for hands and eyes; killed when the test is over."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
    )
    talker = Talker(process, files)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    listeners = [
        threading.Thread(target=talker.listen, args=(stream, lines), daemon=True)
        for stream, lines in ((process.stdout, talker.out), (process.stderr, talker.err))
    ]
    for listener in listeners:
        listener.start()
    try:
        yield talker
    finally:
        process.kill()
        process.wait()
        for listener in listeners:
            listener.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        logbook.keep(talker.out + talker.err, kind="screen")


def run(
    folder: Path, *arguments: str, said: str | bytes = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """One run to its end: exit code and what it wrote."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=said.encode() if isinstance(said, str) else said,
        capture_output=True,
        env={**ENVIRONMENT, "HOME": str(folder), **environment},
        timeout=PATIENCE_S * 2,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )
