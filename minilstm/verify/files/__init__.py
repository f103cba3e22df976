"""A learner's own file: its functions are found, checked and diagnosed.

1. ``source.py`` reads a .py file, or the code cells of a notebook.
2. ``execute.py`` runs it statement by statement, so that one that fails does not hide
   the functions around it. ``course_modules.py`` stands in for helper modules of courses,
   ``limits.py`` stops what does not end.
3. ``find.py`` finds the functions that belong to a layout, by names and arguments.
4. ``check.py`` checks and diagnoses each of them, and words the result.

All this runs the learner's code: in a process of its own, see ``cli/check_file.py``.
"""
