"""Learners' code as it is: the shapes and names of courses, and what is ours in them.

``layout`` describes one, ``presets`` has those with a name, ``described`` reads a
dictionary. ``native`` makes gradient checks in the learner's arrays, ``adapted`` our
functions of the learner's, ``words`` reports in the learner's words.
"""
