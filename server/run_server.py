"""Start the server: `python server/run_server.py`; script/server also sets up what it needs."""

import os
import sys

if sys.version_info < (3, 11):
    sys.stderr.write("run_server: needs Python 3.11 or newer; start with script/server\n")
    sys.exit(2)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src"))

if __name__ == "__main__":
    from socp.server.main import main

    sys.exit(main())
