"""rembg's server: a picture by URL or as a file, answered as PNG. See docs/api-rembg.md."""
