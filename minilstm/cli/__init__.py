"""The command line: ``main``, the options, and a module for each command.

A command's module has a function ``run(arguments)``.

It imports whatever it needs; nothing but the course imports it.
"""
