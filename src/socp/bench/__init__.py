"""What things cost, measured beside a named reference in the same run."""
