"""Every golden vector is checked once more by another implementation: `vectors/second`, on the Web
Crypto of Node, which is what a browser has."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
pytestmark = [pytest.mark.needs("node"), pytest.mark.spec("3"), pytest.mark.timeout(240)]

OURS_ALONE = {"wire/text.json", "keys/pool.json"}
"""How a terminal shows a stranger's text is no form of the protocol; the pool has no cases."""


def checked(folder: Path, *names: str) -> tuple[int, list[str]]:
    """What it says of these files, of all where none is named."""
    done = subprocess.run(
        ["node", str(folder / "second/check.mjs"), *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def test_every_vector_holds_in_a_second_implementation() -> None:
    names = {str(path.relative_to(VECTORS)) for path in VECTORS.glob("*/*.json")} - OURS_ALONE
    counts = {name: len(json.loads((VECTORS / name).read_text())["cases"]) for name in names}
    code, said = checked(VECTORS)
    assert code == 0, "\n".join(said)
    assert sorted(said) == sorted(f"{name} {count}" for name, count in counts.items())


BENT = {
    "crypto/transport.json": "holds",
    "crypto/content_sig.json": "form",
    "crypto/oaep.json": "plaintext",
    "crypto/hybrid.json": "plaintext",
    "crypto/channel_box.json": "holds",
    "crypto/file_chunk.json": "plaintext",
    "crypto/labelled.json": "holds",
    "crypto/fast_sig.json": "holds",
    "crypto/safety_number.json": "number",
    "crypto/key_text.json": "verdict",
    "wire/good_frames.json": "type",
    "wire/bad_frames.json": "code",
    "wire/canonical.json": "canonical",
    "wire/bind.json": "ts",
    "wire/msg_ref.json": "msg_ref",
    "wire/dedup.json": "same",
    "wire/roll.json": "digest",
    "wire/heartbeat.json": "count",
    "wire/rank.json": "ranked",
    "wire/content.json": "digest",
    "wire/addresses.json": "host",
    "wire/base64url.json": "hex",
    "wire/invitation.json": "kept",
    "foreign/types.json": "is",
    "foreign/members.json": "is",
    "foreign/welcome.json": "is",
}
"""A member of each file that is made another one in one of its cases."""


def other(value: Any) -> Any:
    """A value of the same kind that is another one."""
    if isinstance(value, bool | int):
        return not value if isinstance(value, bool) else value + 1
    if isinstance(value, list):
        return [*value, value[0]]
    return ("B" if value.startswith("A") else "A") + value[1:]


def test_a_vector_that_is_wrong_is_found(tmp_path: Path) -> None:
    shutil.copytree(VECTORS / "second", tmp_path / "second")
    shutil.copytree(VECTORS / "keys", tmp_path / "keys")
    due = []
    for name, member in BENT.items():
        cases = json.loads((VECTORS / name).read_text())["cases"]
        bent = next(case for case in cases if case.get(member))
        bent[member] = other(bent[member])
        due.append(f"{name}: {bent['why']}: ")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"cases": [bent]}))
    code, said = checked(tmp_path, *BENT)
    assert code == 1
    found = [line for line in said if line not in {f"{name} 1" for name in BENT}]
    assert [
        line for line, begin in zip(found, due, strict=True) if not line.startswith(begin)
    ] == []
