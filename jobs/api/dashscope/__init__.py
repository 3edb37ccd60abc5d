"""DashScope image instance segmentation: asynchronous tasks, and uploads with a signed grant.

See docs/api-dashscope.md.
"""
