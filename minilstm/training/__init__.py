"""Training: the loop, callbacks, checkpoints, progress, and pictures of the loss.

Imports models, data, generation and what lies below; knows nothing of the command line.
"""
