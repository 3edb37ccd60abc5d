"""What a team may use, and what it has used.

`limits` holds a team's quota and the size of its pictures, `windows` the days and months that a quota counts,
`charges` and `refunds` write the ledger, `erasure` deletes a team's ledger, `alerts` warns the team, `selectors` reads.
A submission calls this room inside its own transaction.
"""
