"""The referee as a server: it judges who attaches to it, a client or a server that dials."""
