"""The gate mathematics as compiled loops: the same names, in the same order, as in ``minilstm.cells``."""
