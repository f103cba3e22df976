"""Is a gradient right? Numerical derivatives, comparisons, and reports of them."""
