"""The full-screen client: one file per visible thing, none of which holds what is true."""
