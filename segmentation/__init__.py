"""Picture processing: read picture files, find the subject, render the result files.

Workers may use everything. Request code may use `options`, `errors` and `image.probe`, which do not import torch. The
functions take bytes and arrays, and return arrays and encoded files. This package imports neither Django nor `jobs`.

In the order of processing: `image` (decode), `find` and `engines` (model), `refine` and `postprocess` (alpha),
`foreground` (colours), `compose` and `encode` (files). `pipeline` runs them.
"""
