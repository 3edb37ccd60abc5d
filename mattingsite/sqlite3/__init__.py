"""Database backend for SQLite files that are used by several processes for a long time."""
