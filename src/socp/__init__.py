"""SOCP v1.3: a server, its clients and a library, one room per job (see ARCHITECTURE.md)."""

__version__ = "0.1.0"
