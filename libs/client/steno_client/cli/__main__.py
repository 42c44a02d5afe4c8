"""The steno command as `python -m steno_client.cli`."""

import sys

from steno_client.cli.command import main

sys.exit(main())
