"""`socp completion`: what makes Tab complete `socp` in a shell."""

from __future__ import annotations

import click

from socp.cli import exits
from socp.cli.choices import HELP

_VARIABLE = "_SOCP_COMPLETE"


@click.command(context_settings=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print what makes Tab complete verbs, options, profiles and paths.

    \b
    bash: socp completion bash > ~/.local/share/bash-completion/completions/socp
    zsh:  socp completion zsh > ~/.zfunc/_socp       (with fpath+=~/.zfunc before compinit)
    fish: socp completion fish > ~/.config/fish/completions/socp.fish

    Or for this shell alone: eval "$(socp completion bash)".
    """
    from click.shell_completion import get_completion_class

    from socp.cli.verbs import socp

    kind = get_completion_class(shell)
    assert kind is not None, "a shell that click knows"
    click.echo(kind(socp, {}, "socp", _VARIABLE).source())
    return exits.OK
