"""`dataclasses.replace` fails on a msgspec Struct, and the type checker, which takes a Struct for a
dataclass, does not say so: as far as can be told from the text, none is given to it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "examples")
MAY_CALL = re.compile(r"import dataclasses|from dataclasses import [^)]*\breplace\b")


@dataclass(frozen=True)
class Class:
    """What its text says of it."""

    bases: tuple[str, ...]
    is_dataclass: bool
    fields: frozenset[str]


class House:
    """All classes by name; one name may be that of several."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self._classes = defaultdict[str, list[Class]](list)
        for tree in trees:
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    self._classes[node.name].append(_read(node))

    def kinds(self, name: str) -> set[bool]:
        """Of all that are called so, for each dataclass True and for each Struct False."""
        found = self._classes.get(name, ())
        return {c.is_dataclass for c in found if c.is_dataclass or self._is_struct(c)}

    def fitting(self, members: set[str]) -> set[bool]:
        """The kinds of those that have all these members."""
        return {
            kind
            for name, classes in self._classes.items()
            if any(members <= self._fields(each) for each in classes)
            for kind in self.kinds(name)
        }

    def _bases(self, of: Class) -> Iterator[Class]:
        for base in of.bases:
            yield from self._classes.get(base, ())

    def _is_struct(self, of: Class) -> bool:
        return "Struct" in of.bases or any(map(self._is_struct, self._bases(of)))

    def _fields(self, of: Class) -> frozenset[str]:
        return of.fields.union(*map(self._fields, self._bases(of)))


def _read(node: ast.ClassDef) -> Class:
    fields = (line.target for line in node.body if isinstance(line, ast.AnnAssign))
    return Class(
        bases=tuple(name for base in node.bases if (name := _name(base)) != node.name),
        is_dataclass=any(_name(each) == "dataclass" for each in node.decorator_list),
        fields=frozenset(field.id for field in fields if isinstance(field, ast.Name)),
    )


def _name(node: ast.expr | None) -> str:
    """The last part of a name, without what is called with or chosen from it."""
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _name(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _called(tree: ast.Module) -> set[str]:
    """What `dataclasses.replace` is called here."""
    return {
        "replace" if isinstance(node, ast.ImportFrom) else "dataclasses.replace"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and node.names[0].name == "dataclasses")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "dataclasses"
            and any(alias.name == "replace" for alias in node.names)
        )
    }


def wrong(tree: ast.Module, house: House) -> Iterator[int]:
    """The lines on which `dataclasses.replace` is given what can only be a Struct."""
    called = _called(tree)
    for function in ast.walk(tree) if called else ():
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            continue
        taken = () if isinstance(function, ast.Module) else ast.walk(function.args)
        types = {arg.arg: _name(arg.annotation) for arg in taken if isinstance(arg, ast.arg)}
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in called:
                continue
            given = call.args[0]
            of = types.get(given.id, "") if isinstance(given, ast.Name) else _name(given)
            members = {each.arg for each in call.keywords if each.arg}
            if {False} in (house.kinds(of), house.fitting(members)):
                yield call.lineno


def test_no_struct_is_given_to_the_replace_of_dataclasses() -> None:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    house = House(ast.parse(text) for text in texts.values())
    found = {
        f"{file.relative_to(ROOT)}:{line}: take msgspec.structs.replace"
        for file, text in texts.items()
        if MAY_CALL.search(text)
        for line in wrong(ast.parse(text), house)
    }
    assert found == set()


def test_one_that_is_given_is_found() -> None:
    tree = ast.parse(
        """
from dataclasses import dataclass, replace
@dataclass
class Card:
    name: str
class Note(Struct):
    text: str
class LongNote(Note):
    name: str
def one(card: Card, note: Note, any):
    replace(card, name="")
    replace(note)
    replace(any.thing, text="")
    replace(any.thing, name="")
    replace(LongNote(1), name="")
"""
    )
    assert sorted(set(wrong(tree, House([tree])))) == [12, 13, 15]
