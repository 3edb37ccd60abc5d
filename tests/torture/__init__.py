"""Attack a running site, and write down what it withstood."""
