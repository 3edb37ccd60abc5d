"""The Django project: settings, URLs, the ASGI application and the admin site."""

__version__ = "1.1.0.dev0"
