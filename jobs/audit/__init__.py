"""The audit trail: entries in a hash chain. The database rejects changes and deletions of entries.

`trail` appends an entry in the transaction of the recorded action. `plain_json` converts values to the form that is
hashed, `verification` checks the chain, and `export` writes it as CSV or JSON lines. Each service may append entries.
"""
