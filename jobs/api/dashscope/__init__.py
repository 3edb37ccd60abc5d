"""Dialect of DashScope's image instance segmentation: asynchronous tasks, and uploads with a signed grant.

See docs/api-dashscope.md.
"""
