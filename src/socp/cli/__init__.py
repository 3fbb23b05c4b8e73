"""`socp` and its verbs."""
