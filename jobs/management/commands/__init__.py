"""Management commands. Each command parses its arguments, calls a service or a package, and prints the result."""
