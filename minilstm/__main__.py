"""``python -m minilstm`` is ``minilstm``."""

import sys

from minilstm.cli.main import main

sys.exit(main())
