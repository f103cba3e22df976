"""Generation: sampling and beam search, the compiled loop, and how varied and likely texts are.

Imports models, data and what lies below; knows nothing of training.
"""
