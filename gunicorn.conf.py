"""Start-up: the web server's settings; docs/settings.md explains the variables."""

import os

wsgi_app = "mattingsite.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "16"))

# A request may wait for its picture; the server must never be the first to lose patience.
timeout = int(os.environ.get("MATTING_MAX_WAIT_S", "60")) + 60
graceful_timeout = 8

# Replacing a process now and then bounds what a leak can cost; the jitter keeps the two from going at once.
max_requests = 5000
max_requests_jitter = 1000

# Each process loads the site by itself: nothing is shared across the fork, and a changed file is picked up on SIGHUP.
preload_app = False
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  a heartbeat file must not touch a disk
control_socket_disable = True
loglevel = "warning"
