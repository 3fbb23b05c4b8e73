"""The referee: judges any SOCP server or client from outside, by the rules of the protocol's page.

It uses nothing of the rooms that it judges: frames, canonical form, signatures and sealing are
written here once more, on `cryptography` alone, so that a fault there cannot hide here.
"""
