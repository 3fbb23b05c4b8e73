"""The server's brain: events in, effects out. No socket, clock, dice, disk or log inside."""
