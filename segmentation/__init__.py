"""Picture processing: read picture files, find the subject, render the result files.

Workers, the processes that run the model, may use all modules. Code that answers HTTP requests must not import
`pipeline`, `engines` or `network`, because these modules run the model and may load torch or OpenVINO. The functions
take bytes and arrays, and return arrays and encoded files. This package imports neither Django nor `jobs`.

A matte is the alpha of a subject as the model returns it. An engine is a loaded model with the methods that find
subjects. The modules in the order of processing: `image` (decode), `find` and `engines` (run the model), `refine` and
`postprocess` (improve the alpha), `foreground` (colours), `compose` and `encode` (result files). `pipeline` calls them.
"""
