"""What could be wrong: every small change to a function, by the operators of mutmut.

Only what runs when a function is called is changed. Left alone are annotations, docstrings, the
defaults of parameters, what is there for the type checker alone, and wording: the text in a
literal with a space in it is for people (that it is there at all is checked, by the mutants that
leave it out).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

FOR_TYPES = frozenset({"assert_never", "cast"})
# To ask these about something else raises at once, which shows nothing.
TRIVIAL = frozenset({"len", "isinstance"})


@dataclass(frozen=True, order=True)
class Identity:
    """Which mutant, wherever its lines may move to: the `nth` of its kind in its function."""

    file: str
    function: str
    operator: str
    before: str
    after: str
    nth: int = 1

    @property
    def place(self) -> str:
        """As in `wire/bind.py:check_bind`."""
        return f"{self.file}:{self.function}"

    def rank(self, seed: int) -> str:
        """Its place in the order of this seed; a change elsewhere does not move it."""
        return hashlib.sha256(repr((seed, self)).encode()).hexdigest()


@dataclass(frozen=True)
class Mutant:
    """One change. `lines`: of the statement, one of which runs where the change would."""

    identity: Identity
    line: int
    lines: frozenset[int]
    source: Source = field(repr=False, compare=False)
    before: cst.CSTNode = field(repr=False, compare=False)
    after: cst.CSTNode = field(repr=False, compare=False)

    def code(self) -> str:
        """The whole module with this change."""
        changed = self.source.module.deep_replace(self.before, self.after)
        assert isinstance(changed, cst.Module)
        return changed.code


class Source:
    """A module and its mutants."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.text = path.read_text()
        wrapper = MetadataWrapper(cst.parse_module(self.text))
        self.module = wrapper.module
        finder = _Finder(self)
        wrapper.visit(finder)
        self.mutants = finder.mutants


def mutants_of(folder: Path, root: Path) -> list[Mutant]:
    """All mutants of the modules in a room."""
    return [
        mutant for path in sorted(folder.rglob("*.py")) for mutant in Source(path, root).mutants
    ]


def sample(mutants: Iterable[Mutant], seed: int, size: int) -> list[Mutant]:
    """So many of them, the same ones for the same seed, file by file."""
    chosen = sorted(mutants, key=lambda mutant: mutant.identity.rank(seed))[:size]
    return sorted(chosen, key=lambda mutant: (mutant.identity.file, mutant.line, mutant.identity))


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.mutants: list[Mutant] = []
        self._names: list[str] = []
        self._functions = 0
        self._statements: list[frozenset[int]] = []
        self._seen: Counter[Identity] = Counter()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if self._functions and _left_alone(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._names.append(node.name.value)
        if isinstance(node, cst.FunctionDef):
            self._functions += 1
        if _is_step(node):
            self._statements.append(self._lines(node))
        if self._functions and not isinstance(node, cst.FunctionDef):
            self.mutants += self._changes(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._functions and _left_alone(original_node):
            return
        if _is_step(original_node):
            self._statements.pop()
        if isinstance(original_node, cst.FunctionDef):
            self._functions -= 1
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._names.pop()

    def _changes(self, node: cst.CSTNode) -> Iterator[Mutant]:
        found = [
            (operator.__name__.removeprefix("operator_"), changed)
            for kind, operator in mutation_operators
            if isinstance(node, kind)
            for changed in operator(node)
            if not _is_for_types(node, changed)
        ]
        if not found:
            return
        place = self.get_metadata(PositionProvider, node, None)
        lines = self._span(node) if isinstance(node, cst.Match) else self._statements[-1]
        line = place.start.line if isinstance(place, CodeRange) else min(lines)
        for operator, changed in found:
            before, after = self._difference(node, changed)
            identity = Identity(self.source.name, ".".join(self._names), operator, before, after)
            self._seen[identity] += 1
            identity = replace(identity, nth=self._seen[identity])
            yield Mutant(identity, line, lines, self.source, node, changed)

    def _difference(self, node: cst.CSTNode, changed: cst.CSTNode) -> tuple[str, str]:
        """Of a call the argument, of a match the case, of anything else the whole."""
        match node, changed:
            case cst.Call(func=func, args=args), cst.Call(func=same) if func is same:
                name = self._code(func)
                (old,) = [arg for arg in args if all(arg is not kept for kept in changed.args)]
                at = args.index(old)
                new = changed.args[at] if len(changed.args) == len(args) else None
                return f"{name}({self._part(old)})", f"{name}({self._part(new)})"
            case cst.Match(cases=cases), cst.Match():
                (old_case,) = [
                    case for case in cases if all(case is not kept for kept in changed.cases)
                ]
                return f"case {self._code(old_case.pattern)}", ""
        return self._code(node), self._code(changed)

    def _part(self, arg: cst.Arg | None) -> str:
        return "" if arg is None else self._code(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT))

    def _code(self, node: cst.CSTNode) -> str:
        return " ".join(self.source.module.code_for_node(node).split())

    def _lines(self, node: cst.CSTNode) -> frozenset[int]:
        """Those of a simple statement; of a compound one, those of its head."""
        whole = self._span(node)
        body = getattr(node, "body", None)
        if not isinstance(body, cst.IndentedBlock):
            return whole
        return frozenset(range(min(whole), max(min(whole) + 1, min(self._span(body)))))

    def _span(self, node: cst.CSTNode) -> frozenset[int]:
        place = self.get_metadata(PositionProvider, node)
        assert isinstance(place, CodeRange)
        return frozenset(range(place.start.line, place.end.line + 1))


def _is_step(node: cst.CSTNode) -> bool:
    steps = cst.SimpleStatementLine | cst.BaseCompoundStatement | cst.MatchCase
    return isinstance(node, steps)


def _left_alone(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Param() | cst.Expr(value=cst.SimpleString()):
            return True
        case cst.SimpleString():
            return " " in node.value
        case cst.Call(func=cst.Name(value=name)):
            return name in FOR_TYPES or name in TRIVIAL
    return False


def _is_for_types(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """A match without the case that proves that none is forgotten is the same match."""
    if not isinstance(node, cst.Match) or not isinstance(changed, cst.Match):
        return False
    (dropped,) = set(node.cases) - set(changed.cases)
    return "assert_never(" in cst.Module([]).code_for_node(dropped)
