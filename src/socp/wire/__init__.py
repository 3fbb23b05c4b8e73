"""What a frame is: ids, limits, errors, envelope, payloads, canonical JSON. Pure."""
