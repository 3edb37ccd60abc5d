"""The DashScope-compatible API, an API dialect (an emulated vendor API): tasks that find people in a picture.

It emulates DashScope's image instance segmentation, including the upload of pictures. See docs/api-dashscope.md.
"""
