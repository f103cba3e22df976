"""Where things are: the checkout, and real text to run on, which stands beside it or where MINILSTM_SHARED says."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "lessons"
BENCHMARKS = ROOT / "benchmarks"
SHARED = Path(os.environ.get("MINILSTM_SHARED") or ROOT.parent / "shared")
