"""The API of rembg's server: a picture by URL or as a file, returned as PNG. See docs/api-rembg.md."""
