"""`socp`: one verb, one file, imported when it is used, so that `socp --help` costs little."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import click

from socp import __version__

# Verb -> what `socp --help` says of it. The module socp.cli.<verb> holds its `command`.
VERBS: Final = {
    "serve": "Run a server.",
    "chat": "Talk to people, from a terminal or a script.",
    "account": "Set a password, and log in with it on another machine.",
    "admin": "Rule a server: who joins; back up, restore, check.",
}


class Verbs(click.Group):
    """Knows its commands by name alone until one is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module(f"socp.cli.{name}")
        found: click.Command = module.command
        return found

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="socp %(version)s (SOCP v1.3)")
def socp() -> None:
    """End-to-end encrypted chat across a mesh of servers (SOCP v1.3)."""


def main() -> None:
    """Run one verb and end with its exit code: 2 and one line for what was typed wrongly."""
    _open_missing_streams()
    try:
        code = socp.main(prog_name="socp", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        sys.stderr.write(asked.format_message() + "\n")
        sys.exit(2)
    except click.ClickException as fault:
        line = fault.format_message().rstrip(".").replace("\n", " ")
        sys.stderr.write(f"socp: {line}; see --help\n")
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _open_missing_streams() -> None:
    """Who closed our standard input or outputs wants none: nothing else may get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)  # takes the lowest number, which is theirs
            setattr(sys, name, os.fdopen(nothing, mode, closefd=False))


if __name__ == "__main__":
    main()
