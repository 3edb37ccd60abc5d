"""Management commands: each parses its arguments, calls a service or a package, and prints the result."""
