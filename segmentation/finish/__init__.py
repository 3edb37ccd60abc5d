"""Finished pictures from cutouts: canvas, background, shadow, edges and file.

All functions use the stored alpha and the source, without a model. A recipe, defined in the module `recipe`, describes
the finished picture. That module does not import numpy, so that the web process may import it. `finish.finish` calls
the other modules in order. This package does not import `jobs`.
"""
