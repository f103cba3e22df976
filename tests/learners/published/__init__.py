"""Mistakes that public LSTM code really had, in code of our own: each file in the shapes of another course.

docs/check-your-code.md shows what ``minilstm check`` says about each. They import nothing of minilstm.
"""
