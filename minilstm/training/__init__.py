"""Training: the loop, callbacks, checkpoints, progress, and pictures of the loss.

Imports models, data, generation and what lies below; nothing of the command line.
"""
