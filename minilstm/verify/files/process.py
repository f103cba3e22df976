"""The process in which a learner's code runs.

    python process.py REQUEST

REQUEST is JSON: the arguments of ``check_source``, and ``report``, the file to which
each event is written as a line of JSON. The first is "ready". The last is "end", unless
the code or a limit has ended the process. The learner's own output goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path


def main(request: str) -> None:
    """Check the file, and write the report."""
    root = str(Path(__file__).parents[3])  # where minilstm is
    sys.path[:1] = [] if root in sys.path else [root]  # replaces this folder
    from minilstm.errors import MinilstmError
    from minilstm.verify.files.check import Event, NothingFound, check_source

    wanted = json.loads(request)
    with open(wanted.pop("report"), "w", encoding="utf-8") as report:

        def emit(event: Event) -> None:
            report.write(json.dumps(vars(event)) + "\n")
            report.flush()  # what comes next may end the process

        emit(Event("ready", ""))  # the time counts from now on
        try:
            check_source(Path(wanted.pop("path")), emit, **wanted)
        except NothingFound as error:
            emit(Event("listing", error.listing))
            emit(Event("wrong usage", str(error)))
        except MinilstmError as error:
            is_usage = error.exit_status == 2
            emit(Event("wrong usage" if is_usage else "cannot run", str(error)))
        except Exception:
            emit(Event("bug", traceback.format_exc()))
        emit(Event("end", ""))


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(0)  # threads that the code has started may never end
