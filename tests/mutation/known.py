"""The mutants that are named as equivalent: no caller can tell them from what is written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.mutation.mutants import Identity

FOLDER = Path(__file__).parent / "equivalent"


def equivalents(room: str) -> dict[Identity, str]:
    """Each with the reason."""
    file = FOLDER / f"{room}.toml"
    entries = tomllib.loads(file.read_text())["mutant"] if file.exists() else []
    found = {}
    for entry in entries:
        why = entry.pop("why")
        identity = Identity(**entry)
        if identity in found or not why:
            raise ValueError(f"{file}: listed twice, or without a reason: {identity}")
        found[identity] = why
    return found


def entry(identity: Identity, why: str = "") -> Iterator[str]:
    """The lines of one entry of such a file."""
    yield "[[mutant]]"
    for name, value in asdict(identity).items():
        if (name, value) != ("nth", 1):
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
    yield f"why = {json.dumps(why, ensure_ascii=False)}"
