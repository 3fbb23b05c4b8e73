"""The server's shell: sockets, threads, files and clocks around the brain in `node` (section 1)."""
