"""The quotas of teams and their usage.

`limits` reads and changes a team's quota and the size limits of its pictures. `windows` defines the days and months of
a quota. `charges` and `refunds` write the ledger, `erasure` deletes it, and `export` writes it as CSV. `alerts` warns a
team, and `selectors` reads the usage. The code that submits a job charges its pictures in its own transaction.
"""
