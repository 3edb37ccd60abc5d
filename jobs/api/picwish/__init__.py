"""Dialect of PicWish's segmentation tasks, at two groups of paths. See docs/api-picwish.md."""
