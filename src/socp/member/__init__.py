"""The user's brain: frames and commands in, frames and notices out. Pure, like `node`."""
