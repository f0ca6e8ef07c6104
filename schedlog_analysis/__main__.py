"""`python -m schedlog_analysis` is the command `schedlog`."""

import sys

from schedlog_analysis.cli import main

if __name__ == "__main__":
    sys.exit(main())
