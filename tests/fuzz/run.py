"""`script/fuzz TARGET --minutes N`: one target for as long as that, by atheris or by hypothesis.

Minutes are the processor's: on a machine that does other work as well, a run takes longer and is
worth the same. `all` takes one target after the other.

What is found interesting is kept in var/fuzz/TARGET and gone on from. An input that breaks a law
ends the run and is put into tests/fuzz/corpus/TARGET, where script/test takes it from then on.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

HERE = Path(__file__).parent
WORK = HERE.parents[1] / "var/fuzz"
HANGS_S = 20  # of the processor: an input that takes so long has found something as well
STANDS_S = 900  # by the clock, for one that never ends
STATED_S = 60
LOOKED_EVERY = 64  # inputs, between two looks at the processor's time
ALL = "all"
KEPT_MAX = 12  # inputs of one run of --keep
KEPT_BYTES_MAX = 512


def atheris() -> ModuleType | None:
    """Not everywhere (requirements/fuzz.in)."""
    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


def main() -> int:
    fuzzer = atheris()
    asked = argparse.ArgumentParser(prog="script/fuzz", description=__doc__)
    asked.add_argument("target", nargs="?")
    asked.add_argument("--minutes", type=float, default=10, help="of the processor's time")
    asked.add_argument("--seed", type=int, default=0, help="0: another one each time")
    asked.add_argument("--hypothesis", action="store_true", help="leave atheris aside")
    asked.add_argument("--keep", action="store_true", help="add what was found to the corpus")
    said = asked.parse_args()
    if said.hypothesis:
        fuzzer = None
    doors = _doors(fuzzer)
    if said.target == ALL:
        return every(list(doors))
    if said.target not in doors:
        print("targets:", *doors, ALL)
        return 0 if said.target is None else 2
    if said.keep:
        return keep(said.target, doors[said.target][1])
    seed = said.seed or random.SystemRandom().randrange(1, 2**31)
    print(f"fuzz: {said.target} for {said.minutes:g} minutes, seed {seed}, with", end=" ")
    print("hypothesis" if fuzzer is None else "atheris", flush=True)
    run = Run(said.target, doors[said.target], said.minutes * 60, seed)
    if fuzzer is None:
        run.with_hypothesis()
    run.with_atheris(fuzzer)


def _doors(fuzzer: ModuleType | None) -> dict[str, Door]:
    """By name; their code is instrumented where there is a fuzzer, which names each of 250 modules
    while it does so."""
    if fuzzer is None:
        loaded = importlib.import_module("tests.fuzz.doors")
    else:
        named = contextlib.redirect_stderr(io.StringIO())
        with named, fuzzer.instrument_imports(include=["socp"]):
            loaded = importlib.import_module("tests.fuzz.doors")
    doors: dict[str, Door] = loaded.doors()
    return doors


def every(names: list[str]) -> int:
    """Each in a process of its own, since libFuzzer ends its process. What found something does
    not keep the rest from being tried."""
    rest = [word for word in sys.argv[1:] if word != ALL]
    here = [sys.executable, "-m", "tests.fuzz.run"]
    ended = [subprocess.run([*here, name, *rest], check=False).returncode for name in names]
    return int(any(ended))


Door = tuple[Callable[[bytes], None], list[bytes], int]
"""What takes the bytes, good examples, how many bytes at most."""


class Run:
    """One target, so long."""

    def __init__(self, name: str, door: Door, seconds: float, seed: int) -> None:
        self.name = name
        self.take, self.seeds, self.max_bytes = door
        self.seconds = seconds
        self.seed = seed
        self.runs = 0
        self.stated_at = float(STATED_S)
        self.kept = WORK / name
        self.kept.mkdir(parents=True, exist_ok=True)

    def with_atheris(self, fuzzer: ModuleType) -> NoReturn:
        """Does not come back: the process ends in the middle of libFuzzer's work."""
        for seed in self.seeds:
            if len(seed) <= self.max_bytes:
                (self.kept / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        options = [
            f"-max_len={self.max_bytes}",
            f"-seed={self.seed}",
            f"-timeout={STANDS_S}",
            f"-report_slow_units={STANDS_S}",
            f"-artifact_prefix={WORK}/{self.name}-",
            "-verbosity=0",
        ]
        fuzzer.Setup([self.name, str(self.kept), *options], self._watched)
        fuzzer.Fuzz()
        raise SystemExit(0)

    def with_hypothesis(self) -> NoReturn:
        """Round by round, each with other dice; does not come back either."""
        generated = importlib.import_module("tests.fuzz.generated")
        dice = random.Random(self.seed)
        while True:
            generated.round_of(self._watched, self.seeds, self.max_bytes, dice.randrange(2**31))

    def _watched(self, data: bytes) -> None:
        """What breaks a law is kept before it is raised."""
        self.runs += 1
        if self.runs % LOOKED_EVERY == 0:
            self._looked()
        began = time.process_time()
        try:
            self.take(data)
            if time.process_time() - began > HANGS_S:
                raise TimeoutError(f"took more than {HANGS_S} s of the processor")
        except BaseException as fault:
            found = HERE / "corpus" / self.name
            found.mkdir(parents=True, exist_ok=True)
            file = found / hashlib.sha256(data).hexdigest()[:16]
            file.write_bytes(data)
            print(f"fuzz: {type(fault).__name__} by {file}, input {self.runs}", file=sys.stderr)
            raise

    def _looked(self) -> None:
        """State how far it is, and end the process when it had its time: neither libFuzzer nor
        hypothesis counts the processor's."""
        used = time.process_time()
        if used < self.stated_at and used < self.seconds:
            return
        self.stated_at = used + STATED_S
        print(f"fuzz: {self.name}: {used / 60:.1f} minutes, {self.runs} inputs", end="")
        print(", nothing found" if used >= self.seconds else "", flush=True)
        if used >= self.seconds:
            os._exit(0)


def keep(name: str, known: list[bytes]) -> int:
    """Some of what earlier runs found interesting go into the repository."""
    found = {file.read_bytes() for file in (WORK / name).glob("*")} - set(known)
    short = sorted((data for data in found if len(data) <= KEPT_BYTES_MAX), key=len)
    every = max(1, len(short) // KEPT_MAX)  # of all lengths, not only the shortest
    folder = HERE / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for data in short[::every][:KEPT_MAX]:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
