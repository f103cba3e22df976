"""A race between minilstm and other libraries, run by ``benchmarks/speed.py``: the same work, in turn, in one run."""
