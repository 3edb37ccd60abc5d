"""Services are the only writers: one function a deed, one transaction that holds all its rows."""
