"""What script/vectors runs: every file, written where it changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Final

from vectors.make import cast, content, fast, key_texts, labelled, login, safety, sealing, transport
from vectors.make.pen import Case, Pen

FILES: Final[dict[str, tuple[str, Callable[[Pen], list[Case]]]]] = {
    "transport": ("section 3: `sig` is PSS over canonical(payload)", transport.cases),
    "content_sig": ("section 3: content_sig in every accepted form", content.cases),
    "oaep": ("section 3: RSA-OAEP, SHA-256, no label", sealing.oaep),
    "hybrid": ("section 11: hybrid/1", sealing.hybrid),
    "channel_box": ("section 7: channel_priv_box", lambda _: sealing.channel_box()),
    "file_chunk": ("section 8: chunks under a file's own key", lambda _: sealing.file_chunk()),
    "labelled": ("sections 10 and 11: labelled texts and their signatures", labelled.cases),
    "fast_sig": ("section 11: session keys, and what they sign", fast.cases),
    "login": ("section 10: login by password", lambda _: login.cases()),
    "safety_number": ("section 10: safety numbers", lambda _: safety.cases()),
    "key_text": ("section 3: keys on the wire", lambda _: key_texts.cases()),
}


def main(arguments: list[str]) -> int:
    """Write the files; with --check only name those that would change, and fail if any would."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: script/vectors [--check]\n")
        return 2
    changed = []
    if _put("keys/pool.json", cast.grow_pool(), check=bool(arguments)):
        changed.append("keys/pool.json")
        cast.pool.cache_clear()
    for name, text in texts().items():
        if _put(name, text, check=bool(arguments)):
            changed.append(name)
    for name in changed:
        sys.stdout.write(f"{'would change' if arguments else 'wrote'} vectors/{name}\n")
    return 1 if arguments and changed else 0


def texts() -> dict[str, str]:
    """Every file but the pool of keys: its path under vectors/, and what it should hold."""
    made = {"keys/test-keys.json": _text(cast.WARNING, cast.described())}
    for name, (what, cases) in FILES.items():
        pen = Pen(_old(f"crypto/{name}.json"))
        made[f"crypto/{name}.json"] = _text(what, cases(pen))
    return made


def _text(what: str, cases: list[Any]) -> str:
    whys = [case.get("name", case["why"]) for case in cases]
    assert len(whys) == len(set(whys)), f"two cases of one name in {what}"
    lines = ",\n".join(json.dumps(case, separators=(", ", ": ")) for case in cases)
    return f'{{"what": {json.dumps(what)},\n"cases": [\n{lines}\n]}}\n'


def _old(name: str) -> list[Case]:
    path = cast.VECTORS / name
    if not path.exists():
        return []
    cases: list[Case] = json.loads(path.read_text())["cases"]
    return cases


def _put(name: str, text: str, *, check: bool) -> bool:
    path = cast.VECTORS / name
    if path.exists() and path.read_text() == text:
        return False
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return True
