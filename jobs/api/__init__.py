"""HTTP APIs: the native API, one package for each API dialect (an emulated vendor API), and shared code.

The clients of an emulated API work with this site without changes. A view authenticates the caller, parses the request,
calls a service (a function that changes data) and returns the response. Views may call the services and selectors
(functions that read data) of all packages. Services and selectors must not import this package.
"""
