"""Alembic, driven from here alone: no alembic.ini, no command line, and logging stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(
    connection: Connection,
    scripts: Path,
    revision: str,
    context: Mapping[str, object] | None = None,
) -> None:
    """Apply the scripts of one folder up to `revision`, inside the transaction of `connection`.

    They find `context` among the attributes of their configuration.
    """
    config = Config(attributes={"connection": connection, **(context or {})})
    config.set_main_option("script_location", _quoted(Path(__file__).parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _quoted(scripts))
    command.upgrade(config, revision)


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%%")
