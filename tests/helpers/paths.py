"""Paths: the checkout, and real text, beside it or in the folder MINILSTM_SHARED."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "lessons"
BENCHMARKS = ROOT / "benchmarks"
SHARED = Path(os.environ.get("MINILSTM_SHARED") or ROOT.parent / "shared")
