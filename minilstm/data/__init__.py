"""Texts of a user: files, tokenizers, mini-batches and windows of ids.

Imports the models' mini-batch and what lies below; knows nothing of corpora, training
or the command line.
"""
