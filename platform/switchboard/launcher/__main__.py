"""`python -m switchboard.launcher`."""

import sys

from switchboard.launcher.command import main

sys.exit(main())
