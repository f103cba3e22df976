"""A benchmark of minilstm against other libraries, run by ``benchmarks/speed.py``.

All engines do the same work, in turn, in one run.
"""
