"""One script per format of the profile database; `SCHEMA.format` is the newest."""
