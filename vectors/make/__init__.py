"""Makes the golden vectors; run by script/vectors. What each file holds: vectors/README.md."""
