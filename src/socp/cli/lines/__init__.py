"""Line mode: what is typed and what is shown; only `client` knows what is true."""
