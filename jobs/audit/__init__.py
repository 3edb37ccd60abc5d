"""The audit trail: entries in a hash chain, which the database refuses to change or delete.

`trail` appends an entry in the transaction of the action that it records. `plain_json` converts values to the form that
is hashed, `verification` checks the chain, and `export` writes it as CSV or JSON lines. Every service may append.
"""
