"""A whole mesh in one process: simulated time, its own network, the real brains."""
