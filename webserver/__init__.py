"""The web server around Django: sockets, deadlines, threads and processes. It does not import `jobs`.

A request uses a thread only while Django processes it. The event loop reads bodies, waits for jobs, and sends responses
to slow clients, so that slow clients and waiting requests do not occupy the threads.
"""
