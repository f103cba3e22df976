"""How a mini-batch is sharded over threads, and which threads may use one model.

``threads`` and ``ownership`` import nothing of ours but errors; ``shards`` and ``replica`` import layers.
"""
