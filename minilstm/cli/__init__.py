"""The command line: ``main``, the options, and one module a command, with a function ``run(arguments)``.

Stands at the top of the house and imports whatever it needs; nothing but the course imports it.
"""
