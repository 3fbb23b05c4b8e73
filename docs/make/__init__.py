"""Pages of docs/ that are made: of frames, for people and for programs, and of threats."""
