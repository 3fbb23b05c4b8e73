"""The user's client on asyncio, and the library to build others on: begin at `client.Client`."""
