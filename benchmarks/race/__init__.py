"""A race between minilstm and other libraries, run by ``benchmarks/speed.py``: the same work, in turn, on one machine, in one run."""
