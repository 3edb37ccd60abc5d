"""The PicWish-compatible API (a dialect of this site): segmentation tasks, at two groups of paths.

See docs/api-picwish.md.
"""
