"""``python -m schedlog_analysis.cli`` is ``schedlog``."""

from schedlog_analysis.cli import main

raise SystemExit(main())
