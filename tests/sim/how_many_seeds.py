"""`script/wrongs [NAME ...] [--first N] [--last N]`: for each wrong change of `wrongs`, how many
seeds of the short form it takes until it breaks a law. Hours for all of them on one core: those
that are seen soon take a second, rare ones up to a thousand times that."""

from __future__ import annotations

import argparse
import gc

import pytest

from socp.sim.laws import Law
from socp.sim.play import Play
from socp.sim.schedule import drawn
from tests.sim.wrongs import CAUGHT, Wrong

SERVERS, USERS, MINUTES = 5, 20, 2
LAST = 999


def first_seed(wrong: Wrong, first: int, last: int) -> tuple[int, Law] | None:
    """The seed, and the law that it breaks; None where none of them shows it."""
    with pytest.MonkeyPatch.context() as patch:
        wrong(patch)
        for seed in range(first, last + 1):
            broken = Play(drawn(seed, SERVERS, USERS, MINUTES)).run().broken
            if broken is not None:
                return seed, broken.law
    return None


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("names", nargs="*", help="all, where none is named")
    words.add_argument("--first", type=int, default=0)
    words.add_argument("--last", type=int, default=LAST)
    asked = words.parse_args()
    gc.set_threshold(200_000)
    for wrong in CAUGHT:
        if asked.names and wrong.__name__ not in asked.names:
            continue
        found = first_seed(wrong, asked.first, asked.last)
        if found is None:
            print(f"{wrong.__name__}: none of {asked.first} to {asked.last}", flush=True)
        else:
            print(f"{wrong.__name__}: seed {found[0]}, {found[1].name}: {found[1]}", flush=True)


if __name__ == "__main__":
    main()
