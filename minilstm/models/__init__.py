"""Whole models: from ids to the loss, and back to one flat gradient.

Imports layers, parallel and what lies below; knows nothing of texts, corpora or training.
"""
