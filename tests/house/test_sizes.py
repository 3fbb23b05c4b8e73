"""A file that grows beyond what one reads at a time has two nouns in it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES_MAX = 400


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for folder in ("src", "server", "examples")
        for file in (ROOT / folder).rglob("*.py")
    }
    assert len(lengths) > 100
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}
