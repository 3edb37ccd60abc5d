"""Finished pictures made from cutouts: canvas, background, shadow, edges and file.

All functions use the stored alpha and the source, and do not run a model. A recipe, defined in the module `recipe`,
describes the finished picture. The module `recipe` does not import numpy, so that the web process can import it.
`finish.finish` calls the other modules in order. This package does not import `jobs`.
"""
