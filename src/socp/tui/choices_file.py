"""How one wants the screen: `tui.toml`, which nobody need have.

theme = "light"            # dark, light, high-contrast
notify = "osc777"          # bell, osc9, osc777, off

[keys]
jump = "ctrl+j"            # the names are those of the help screen
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from socp.client.errors import ClientError
from socp.tui import own_keys
from socp.tui.keys import NAMES as KEYS
from socp.tui.themes import NAMES as THEMES

NOTIFY: Final = ("bell", "osc9", "osc777", "off")
_BYTES_MAX: Final = 256 * 1024
_KEY_CHARS_MAX: Final = 200


class BadChoices(ClientError):
    """The file of choices cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Choices:
    """`keys`: by the names of `socp.tui.keys`."""

    theme: str = "dark"
    notify: str = "bell"
    keys: Mapping[str, str] = field(default_factory=dict)


def read(file: Path) -> Choices:
    """What it says; the usual where there is none. BadChoices."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_BYTES_MAX + 1)
        if len(text) > _BYTES_MAX:
            raise BadChoices(f"{file} is longer than {_BYTES_MAX} bytes; it only holds some lines")
        said = tomllib.loads(text.decode())
    except FileNotFoundError:
        return Choices()
    except OSError as fault:
        raise BadChoices(f"cannot read {file}: {fault.strerror}; mend or move it") from None
    except RecursionError:
        raise BadChoices(
            f"{file} has lists in lists without end; it only holds some lines"
        ) from None
    except ValueError as fault:  # no UTF-8, or no TOML
        raise BadChoices(f"{file} is no TOML ({fault}); mend that place") from None
    return _checked(file, said)


def _checked(file: Path, said: dict[str, Any]) -> Choices:
    keys = said.pop("keys", {})
    if not isinstance(keys, dict):
        raise BadChoices(f'{file}: keys is a table: [keys], then lines such as jump = "ctrl+j"')
    theme = _one_of(file, "theme", said.pop("theme", "dark"), tuple(THEMES))
    notify = _one_of(file, "notify", said.pop("notify", "bell"), NOTIFY)
    for name in said:
        raise BadChoices(f"{file}: there is no {name!r}; there are theme, notify and [keys]")
    for name, key in keys.items():
        if name not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise BadChoices(f"{file}: no key is called {name!r}; there are {known}")
        if not isinstance(key, str) or not 0 < len(key) <= _KEY_CHARS_MAX:
            raise BadChoices(f'{file}: {name} wants a key in quotes, such as "ctrl+j"')
    try:
        return Choices(theme, notify, own_keys.checked(keys))
    except own_keys.BadKeys as fault:
        raise BadChoices(f"{file}: {fault}") from None


def _one_of(file: Path, name: str, value: object, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return str(value)
    raise BadChoices(f"{file}: {name} is one of {', '.join(allowed)}, not {value!r}")
