"""docs/threats.md: each row of the table of threats beside the tests that carry its name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs.make.frames import ROOT
from tests.threats.rows import EVERYBODY, ROWS, TABLES, WHO, Row

TESTS = ROOT / "tests"
OWN = TESTS / "threats"

HEAD = """# Who attacks, how, and which test shows that it is stopped

Made from `tests/threats/` by `script/threats`. A row is *shown* where a test stages the attack and fails if it succeeds: tests
of `tests/threats/` do so at whole servers and clients, from outside; others carry the row's mark (`threat("I1")`) where they test
one part against it. A row without any test is *open*: take it for not stopped. `script/test -k NAME` runs a test by its name.

## What is promised
- Servers, and whoever is on the way, cannot read a direct message or a file, nor the public channel without being a member whom
  every client lists; nor change, re-address, re-time or reorder one unnoticed between two of our clients, nor make one seem to be
  somebody's whose key was pinned.
- A user cannot act as another one. A server cannot speak for users whom it does not host, nor move them or give them another key.
- What a client showed as sent is delivered or still stored until it expires, whatever process was killed; it is shown once.
- No input makes a server or a client crash, hang or grow without bound, and no client slows the others down.

Not promised: hiding who talks to whom, and when, from the servers they use; what was said before a long-term key was stolen,
while `ratchet/1` is not in use.
"""


@dataclass(frozen=True)
class Proof:
    """A test that carries a row's mark."""

    path: Path  # from the repository's top
    name: str


def page() -> str:
    """The whole of it."""
    return "\n".join(paragraphs()).rstrip() + "\n"


def paragraphs() -> Iterator[str]:
    proofs = marked_tests()
    yield HEAD
    yield "## Who\n"
    yield "\n".join(f"{who.value}. {text}" for who, text in WHO.items()) + "\n"
    open_rows = [name for name in ROWS if name not in proofs]
    yield "## Where it stands\n"
    yield f"{len(ROWS) - len(open_rows)} of {len(ROWS)} rows are shown to be stopped. Open: {', '.join(open_rows) or 'none'}.\n"
    for title, rows in TABLES.items():
        yield f"## {title}\n"
        for row in rows:
            yield from row_paragraphs(row, proofs.get(row.id, []))


def row_paragraphs(row: Row, proofs: list[Proof]) -> Iterator[str]:
    yield f"### {row.id}\n\n{row.attack[0].upper()}{row.attack[1:]}.\n"
    by = ", ".join(str(who.value) for who in row.by) or "nobody: machines fail by themselves"
    yield f"- By: {'all' if row.by == EVERYBODY else by}."
    yield f"- {'Stopped' if proofs else 'To be stopped'} by: {row.stopped_by}."
    if not proofs:
        yield "- **Open**: no test shows it.\n"
        return
    staged = [proof for proof in proofs if ROOT / proof.path.parent == OWN]
    elsewhere = [proof for proof in proofs if proof not in staged]
    for file in dict.fromkeys(proof.path for proof in staged):
        names = (f"  - {spoken(proof.name)}" for proof in staged if proof.path == file)
        yield f"- Shown by [{file}](../{file}):\n" + "\n".join(names)
    if elsewhere:
        files = dict.fromkeys(proof.path for proof in elsewhere)
        links = (f"[{file}](../{file})" for file in files)
        yield f"- {'And in parts' if staged else 'Shown in parts'}: {', '.join(links)}."
    yield ""


def spoken(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


@cache
def marked_tests() -> dict[str, list[Proof]]:
    """By row, every test that carries its mark, those of tests/threats first."""
    found: dict[str, list[Proof]] = defaultdict(list)
    files = sorted(TESTS.rglob("test_*.py"), key=lambda file: (file.parent != OWN, file))
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        of_all = {row for node in tree.body if is_file_mark(node) for row in rows_in(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_test(node.name):
                own = {row for decorator in node.decorator_list for row in rows_in(decorator)}
                for row in of_all | own:
                    found[row].append(Proof(file.relative_to(ROOT), node.name))
    return found


def is_test(name: str) -> bool:
    return re.match(r"test_", name) is not None


def is_file_mark(node: ast.stmt) -> bool:
    """`pytestmark = ...`, which counts for every test of its file."""
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"


def rows_in(node: ast.AST) -> Iterator[str]:
    """The rows that marks in this piece of code name."""
    for call in ast.walk(node):
        match call:
            case ast.Call(func=ast.Attribute(attr="threat"), args=[ast.Constant(value=str(row))]):
                yield row
