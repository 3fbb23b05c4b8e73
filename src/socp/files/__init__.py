"""A transfer as two machines, which yield chunks and never open a file (section 8)."""
