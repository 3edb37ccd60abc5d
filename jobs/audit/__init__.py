"""The audit trail: entries chained by their hashes, which the database refuses to change or delete.

`trail` appends an entry in the transaction of the action it records, `plain_json` brings its values into the form that
is hashed, `verification` checks the chain, `export` writes it as CSV or JSON lines. Every service may append.
"""
