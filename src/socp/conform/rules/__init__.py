"""The rules for servers: one file for each section of the protocol's page."""
