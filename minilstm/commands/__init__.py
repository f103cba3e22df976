"""What the commands of the command line do: one module each, with a function ``run(arguments)`` that returns the exit status."""
