"""How a run is done: how large, against whom, and where its processes keep what they write."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from socp.bench.pairs import PAIRS, TRIES_A_PAIR, Measure, Pairs, in_turn
from socp.bench.serving import Server, serving
from socp.bench.trouble import CannotMeasure

QUICK_SCALE: Final = 0.1
QUICK_PAIRS: Final = 2
QUICK_AGAIN: Final = 1  # pairs that a quick run measures again, of one figure
T = TypeVar("T")
_SPARE_FILES: Final = 200  # what a process has open beside its links


@dataclass(frozen=True, slots=True)
class Setting:
    """`url` is that of a server which runs already, "" for servers of our own."""

    folder: Path
    say: Callable[[str], None]
    url: str = ""
    scale: float = 1.0
    pairs: int = PAIRS
    quick: bool = False

    def sized(self, full: int, least: int = 1) -> int:
        """A number of users or messages, at this scale."""
        return max(least, round(full * self.scale))

    def links(self, full: int, least: int = 1) -> int:
        """A number of links at this scale, as far as this machine lets a process have them."""
        wanted = self.sized(full, least)
        allowed = allow_files(wanted)
        if allowed < wanted:
            self.say(f"  {allowed} links in place of {wanted}: raise the hard limit of open files")
        return allowed

    @contextmanager
    def server(self, name: str, *options: str, bootstrap: str = "none") -> Iterator[Server]:
        """The one to load: its own folder, or the one at `url`, which takes no options."""
        if self.url:
            yield Server(self.url)
            return
        with serving(self.folder / name, *options, bootstrap=bootstrap) as server:
            yield server

    async def in_turn(
        self, reference: Measure[T], ours: Measure[T], raw: Callable[[T], float]
    ) -> Pairs[T]:
        """As many pairs as this run has time for."""
        most = self.pairs + QUICK_AGAIN if self.quick else self.pairs * TRIES_A_PAIR
        return await in_turn(reference, ours, raw, self.pairs, most)

    def needs_own(self) -> None:
        """Raises CannotMeasure where the server is another's: its process must be seen."""
        if self.url:
            raise CannotMeasure("needs servers of its own, whose memory it can see; not with --url")


def allow_files(wanted: int) -> int:
    """Raise our own soft limit, which the processes we start have too, to so many links and some
    more; how many links it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = wanted + _SPARE_FILES
    if soft < wanted + _SPARE_FILES:
        soft = min(wanted + _SPARE_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(wanted, soft - _SPARE_FILES)
