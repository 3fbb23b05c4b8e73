"""Where things are: the data folder, the operator's socket in it, and what the operator types."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

KEY_FILE: Final = "server_key.pem"
DATABASE_FILE: Final = "socp.db"
DATABASE_NOTE: Final = "database.txt"  # where the database is, when it is not in the folder
ADMIN_SOCKET: Final = "admin.sock"


def project_folder() -> Path | None:
    """The project's folder when we run from it (also as an editable install), else None."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "server" / "run_server.py").is_file() else None


def default_data_folder(port: int) -> Path:
    """`var/<port>` in the project's folder; the user's data folder for an installed socp."""
    project = project_folder()
    if project is not None:
        return project / "var" / str(port)
    import platformdirs

    return platformdirs.user_data_path("socp") / f"server-{port}"


def shown(folder: Path) -> str:
    """The folder as one types it in the project's folder."""
    project = project_folder()
    if project is not None and folder.is_relative_to(project):
        return str(folder.relative_to(project))
    return str(folder)


def admin_command(folder: Path) -> str:
    """What an operator types before `admit` and the like; in a clone, from its folder."""
    project = project_folder()
    program = ".venv/bin/socp" if project and (project / ".venv/bin/socp").exists() else "socp"
    return f"{program} admin --data-dir {shlex.quote(shown(folder))}"
