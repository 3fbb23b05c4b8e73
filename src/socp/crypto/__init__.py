"""Keys through one door: sign, verify, seal, open (protocol.md, sections 3, 7, 8 and 11)."""
