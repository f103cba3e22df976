"""What is wrong with a backward pass? A catalogue of mistakes, and where an unknown one begins."""
