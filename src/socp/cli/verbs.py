"""`socp`: one verb, one file, imported when it is used, so that `socp --help` costs little."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

import click

from socp import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Verb -> what `socp --help` says of it. The module socp.cli.<verb> holds its `command`.
VERBS: Final = {
    "tui": "Talk to people in the full screen.",
    "chat": "Talk line by line, at a terminal or from a script.",
    "send": "Send one message, from an argument or standard input.",
    "file": "Send a file.",
    "list": "Show who is registered at the server, and who is here.",
    "history": "Show what was said, with somebody or with everyone.",
    "search": "Find lines by their words.",
    "watch": "Show everything that happens; --json for programs.",
    "verify": "Compare keys with somebody; decide about one that changed.",
    "members": "Show who reads what is said to everyone; choose who may.",
    "profile": "Make a profile; seal it, export and import it.",
    "account": "Set a password, and log in with it on another machine.",
    "completion": "Make Tab complete all this in bash, zsh or fish.",
    "serve": "Run a server.",
    "simulate": "Run a whole mesh in one process, with faults, from a seed.",
    "conform": "Judge a server or a client by the rules of the protocol.",
    "bench": "Measure what a server costs, beside what the machine could do.",
    "admin": "Rule a server: who joins; back up, restore, check.",
}
_FIRST_STEPS: Final = (
    ("socp", "at a terminal: who you are is asked for, and you talk; F1 is help"),
    ("socp send bob hello", "one message, and what became of it"),
    ("socp VERB --help", "examples, options and exit codes of a verb"),
)
_AFTER: Final = (
    "Options have variables too: SOCP_PROFILE, SOCP_SERVER, SOCP_NAME. NO_COLOR is respected, and"
    " nothing asks for anything where standard input is no terminal. Exit codes: 0 done, 1 refused"
    " or not done yet, 2 it could not begin."
)

_NO_TERMINAL: Final = (
    "socp: alone it is the full screen, which needs a terminal; without one use a verb: socp send,"
    " socp watch, or socp chat, which takes a script"
)


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
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
        with formatter.section("First steps"):
            formatter.write_dl(list(_FIRST_STEPS))
        formatter.write_paragraph()
        formatter.write_text(_AFTER)

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """What Tab offers: the verbs, without loading any."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(context, incomplete)
        found = [verb for verb in VERBS if verb.startswith(incomplete)]
        return [CompletionItem(verb, help=VERBS[verb]) for verb in found]


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="socp %(version)s (SOCP v1.3)")
def socp() -> None:
    """End-to-end encrypted chat across a mesh of servers (SOCP v1.3)."""


def run() -> int:
    """Run one verb; its exit code: 2 and one line for what was typed wrongly."""
    words = sys.argv[1:] or (["tui"] if sys.stdin.isatty() and sys.stdout.isatty() else [])
    try:
        code = socp.main(words, prog_name="socp", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        sys.stderr.write(asked.format_message() + "\n")
        if not words:
            sys.stderr.write(f"\n{_NO_TERMINAL}\n")
        return 2
    except click.ClickException as fault:
        from socp.wire.text import printable

        line = printable(fault.format_message().rstrip(".").replace("\n", " "))
        sys.stderr.write(f"socp: {line}; see --help\n")
        return 2
    except click.Abort as asked:  # click's word for it
        raise KeyboardInterrupt from asked
    except OSError as fault:  # help, or a short answer, that nobody takes
        from socp.cli import exits

        return exits.unwritten(fault)
    return code if isinstance(code, int) else 0
