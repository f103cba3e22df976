"""Generation: sampling, beam search, the compiled loop, and measures of texts.

Imports models, data and what lies below; knows nothing of training.
"""
