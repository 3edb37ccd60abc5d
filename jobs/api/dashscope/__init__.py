"""DashScope image instance segmentation: asynchronous tasks, and uploads by grant. See docs/api-dashscope.md."""
