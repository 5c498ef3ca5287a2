"""`python -m switchboard.launcher`."""

import sys

try:
    from switchboard.launcher.command import main

    sys.exit(main())
except KeyboardInterrupt:  # pressed before the launcher took over its handling
    sys.exit(0)
