"""Directory and accounts over HTTP: one table of operations, which router and OpenAPI share."""
