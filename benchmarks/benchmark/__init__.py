"""A benchmark of minilstm against other libraries, run by ``benchmarks/speed.py``: the same work, in turn, in one run."""
