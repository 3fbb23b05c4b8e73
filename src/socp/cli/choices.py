"""The options that several verbs share. Their --help loads no more than this: keep it light."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import click
from click.core import ParameterSource

from socp.cli import options

WAIT_S: Final = 30.0
_WAIT_S_MAX: Final = 86_400
C = TypeVar("C", bound=Callable[..., Any])
Options = dict[str, str | None]
Place = str | os.PathLike[str]
HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Number(click.FloatRange):
    """A range without nan, which click finds in every one."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail("nan is no number", param, ctx)
        return number


class NewFile(click.Path):
    """A file that is written when all is done: where it cannot be is said before all is begun."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True)

    def convert(
        self, value: Place, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        path = os.fsdecode(super().convert(value, param, ctx))
        folder = os.path.dirname(path) or os.curdir
        if not os.path.isdir(folder):
            self.fail(f"there is no folder {folder}; make it, or name another", param, ctx)
        if not os.path.exists(path) and not os.access(folder, os.W_OK):
            self.fail(f"{folder} may not be written to; name another folder", param, ctx)
        return path


def _profiles(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[str]:  # for Tab in a shell
    from urllib.parse import unquote

    from socp.talk import places

    return [name for name in map(unquote, places.all_profiles()) if name.startswith(begun)]


_PROFILE: Final = click.option(
    "--profile",
    envvar="SOCP_PROFILE",
    shell_complete=_profiles,
    metavar="NAME|DIR",
    help="Whose key and memory to use: a profile's name, or its folder (with a / in it)."
    " Where there is only one profile, it is that.",
)
_AS: Final = click.option(
    "--as",
    "name",
    envvar="SOCP_NAME",
    metavar="NAME",
    help="The name that others see; without --profile also the profile's.",
)
_PROFILE_DIR: Final = click.option(
    "--profile-dir",
    envvar="SOCP_PROFILE_DIR",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="The same as --profile with a folder.",
)
_SERVER: Final = click.option(
    "--server",
    envvar="SOCP_SERVER",
    metavar="URL",
    help="The server, such as chat.example.org (TLS), localhost:8001 (none), or with ws:// or wss://"
    " before it. Not given: the profile's, at first ws://localhost:8001.",
)


_OUTWEIGHED: Final = {"profile": ("profile_dir", "name"), "profile_dir": ("profile",)}
"""What a variable says of whose profile it is does not count where one of these is typed."""


def whose(command: C) -> C:
    """Give a verb --profile, --as, --profile-dir, --server and --passphrase-file: what a `Whose`
    is made of."""
    return _having(command, _SERVER, _PROFILE_DIR, _AS, _PROFILE)


def here(command: C) -> C:
    """The same without --server, for verbs that ask none."""
    return _having(command, _PROFILE_DIR, _AS, _PROFILE)


def _having(command: C, *wanted: Callable[[C], C]) -> C:
    command = options.unlocking(_typed_first(command))
    for option in wanted:
        command = option(command)
    return command


def _typed_first(command: C) -> C:
    @functools.wraps(command)
    def weighed(*arguments: Any, **chosen: Any) -> Any:
        typed = {name for name in chosen if _source(name) is ParameterSource.COMMANDLINE}
        for name, others in _OUTWEIGHED.items():
            if name not in typed and not typed.isdisjoint(others):
                chosen[name] = None
        return command(*arguments, **chosen)

    return cast("C", weighed)


def _source(name: str) -> ParameterSource | None:
    return click.get_current_context().get_parameter_source(name)


def as_json(command: C) -> C:
    """Give a verb --json, as `json`."""
    return click.option(
        "--json", is_flag=True, help="One JSON object a line on standard output, for programs."
    )(command)


def downloading(command: C) -> C:
    """Give a verb --downloads."""
    return click.option(
        "--downloads",
        envvar="SOCP_DOWNLOADS",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="Where received files are saved.",
    )(command)


def invited(command: C) -> C:
    """Give a verb --invitation."""
    return click.option(
        "--invitation",
        envvar="SOCP_INVITATION",
        default="",
        metavar="CODE",
        help="The code that the server's operator gave you, where it wants one; once is enough.",
    )(command)


def locking(purpose: str) -> Callable[[C], C]:
    """Give a verb --lock-after, in minutes."""
    return click.option(
        "--lock-after",
        envvar="SOCP_LOCK_AFTER",
        type=Number(0, 1440),
        default=15,
        show_default=True,
        metavar="MINUTES",
        help=purpose,
    )


def waiting(purpose: str) -> Callable[[C], C]:
    """Give a verb --wait, as `wait_s`."""
    return click.option(
        "--wait",
        "wait_s",
        type=Number(0, _WAIT_S_MAX),
        default=WAIT_S,
        show_default=True,
        metavar="SECONDS",
        help=purpose,
    )
