"""Quotas of teams and their usage.

`limits` reads and changes a team's quota and the size limits of its pictures, `windows` defines the days and months of
a quota, `charges` and `refunds` write the ledger, `erasure` deletes a team's ledger, `alerts` warns the team, and
`selectors` reads the usage. A submission calls this package inside its own transaction.
"""
