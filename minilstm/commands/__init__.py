"""What the commands do: one module each, with a function ``run(arguments)`` that returns the exit status."""
