"""The audit trail: entries in a hash chain. The database rejects changes and deletions of entries.

`trail` appends an entry in the same transaction as the recorded action. `plain_json` converts values to the form that
is hashed. `verification` checks the chain. `export` writes the entries as CSV or JSON lines. `redaction` replaces names
by a pseudonym. Every service may append entries.
"""
