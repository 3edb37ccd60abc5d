"""The DashScope-compatible API (a dialect of this site): tasks that find people in a picture, and uploads of pictures.

It reproduces DashScope's image instance segmentation. See docs/api-dashscope.md.
"""
