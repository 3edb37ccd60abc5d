"""remove.bg v1.0: one picture cut out while the caller waits, and the account. See docs/api-removebg.md."""
