"""From text to batches: tokenizers, readers of real files, built-in corpora."""
