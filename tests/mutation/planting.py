"""A mutant in the place of the function it was made from, in this process alone.

The functions that are there keep their names, their decorators and whoever refers to them; only
what they run is exchanged. So nothing is imported again and no file is written.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, FunctionType

from tests.mutation.mutants import Mutant


class Unfit(Exception):
    """The changed function has other free variables, so it cannot take the place of the old one."""


class Functions:
    """All functions of this process, by where their code is written."""

    def __init__(self) -> None:
        self._by_place: defaultdict[tuple[str, int, str], list[FunctionType]] = defaultdict(list)
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                self._by_place[_place(thing.__code__)].append(thing)

    def plant(self, mutant: Mutant) -> None:
        """From now on this mutant runs. Forget this process afterwards."""
        name = str(mutant.source.path)
        before = compile(mutant.source.text, name, "exec", dont_inherit=True)
        after = compile(mutant.code(), name, "exec", dont_inherit=True)
        for old, new in _pairs(before, after):
            for function in self._by_place[_place(old)] if old != new else ():
                try:
                    function.__code__ = new
                except ValueError:
                    raise Unfit(mutant.identity) from None


def _place(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_name


def _pairs(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """What is written at the same place in both, outermost first."""
    for old, new in zip(_inside(before), _inside(after), strict=False):
        yield old, new
        yield from _pairs(old, new)


def _inside(code: CodeType) -> list[CodeType]:
    return [value for value in code.co_consts if isinstance(value, CodeType)]
