"""remove.bg v1.0: synchronous cutouts of one picture, and the account. See docs/api-removebg.md."""
