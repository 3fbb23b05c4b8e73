"""Where a database is, as people give it: `postgresql://user:password@host:port/database`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """What to connect to; `str()` and `repr()` leave the password out, whatever prints them."""

    dsn: str = field(repr=False)  # as given
    place: str

    @classmethod
    def parse(cls, text: str) -> PostgresAddress:
        """ValueError, with a line that repeats nothing of `text`: there may be a password in it."""
        line = "give it as postgresql://USER:PASSWORD@HOST/DATABASE"
        try:
            parts = urlsplit(text)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            raise ValueError(f"this is no address of a database; {line}") from None
        if parts.scheme not in SCHEMES:
            raise ValueError(f"a database elsewhere is a PostgreSQL; {line}")
        if "@" in parts.path + parts.query + parts.fragment:  # the end of a password, it may be
            raise ValueError(f"write / ? # and @ in a password as %2F %3F %23 and %40; {line}")
        if any(not c.isprintable() or c.isspace() for c in text):
            raise ValueError(f"no spaces and control characters are allowed in it; {line}")
        user = f"{quote(unquote(parts.username))}@" if parts.username else ""
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return cls(text, f"postgresql://{user}{host}{port}{parts.path}")

    def __str__(self) -> str:
        return self.place
