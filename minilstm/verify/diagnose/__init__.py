"""What is wrong with a backward pass? Known mistakes, and where an unknown one begins.

How a diagnosis proceeds, file by file:

1. ``trials.py`` has random cases for each kind of function. ``trial.py`` runs yours and
   ours on them. ``unwritten.py`` makes visible what ``np.empty`` leaves in results.
2. ``linearity.py`` tests that backward is linear in dh and dc: nothing clips or adds.
3. ``mistakes.py`` and the files of that name: the known mistakes, each one changed line.
   ``variant.py`` compiles our function with such a line.
4. ``explain.py`` finds the known mistakes that give the same results: one, or several.
5. ``locate.py`` finds where an unknown mistake begins. In a step, ``causes.py`` solves
   for dz, dc and dh; in a sequence, ``through_time.py`` takes one step, then more.
   ``equations.py`` says for each cell what is made of what.
6. ``search.py`` and ``search_in_time.py`` look for the formula that was computed there,
   ``products.py`` for a product.
7. ``compare.py`` leads through all this; ``diagnosis.py`` and ``wording.py`` word it.

``shapes.py`` does the same for pooling, bidirectional layers, attention and
encoder-decoders, with ``trials_of_shapes.py``, ``trials_of_pairs.py`` and
``mistakes_in_shapes.py``. Places of unknown mistakes are not searched there.
"""
