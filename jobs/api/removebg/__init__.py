"""Dialect of remove.bg v1.0: the synchronous cutout of one picture, and the account. See docs/api-removebg.md."""
