"""From what a page should be to the page, or to the word that it is old."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from docs.make.frames import ROOT


def write_or_check(made: Mapping[str, str], script: str, source: str) -> int:
    """Write the files that changed; with --check say so instead. What the script exits with."""
    changed = [name for name, text in made.items() if not is_current(name, text)]
    if "--check" in sys.argv[1:]:
        for name in changed:
            sys.stderr.write(f"{name} is not what {source} say: {script}\n")
        return 1 if changed else 0
    for name in changed:
        (ROOT / name).write_text(made[name], encoding="utf-8")
    return 0


def is_current(name: str, text: str) -> bool:
    path = ROOT / name
    return path.exists() and path.read_text(encoding="utf-8") == text
