"""One script per format of the node database; `SCHEMA.format` is the newest."""
