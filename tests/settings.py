"""The Django settings of the tests: the site's settings, with a temporary data folder for each test process."""

import atexit
import os
import shutil
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="keyline-test-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

# Ignore the developer's environment, so that no test uses a real database, queue, bucket or mail server.
for _name in [name for name in os.environ if name.startswith("MATTING_")]:
    del os.environ[_name]
for _name in (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "EMAIL_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "DEBUG",
    "HOST",
    "PORT",
    "PROMETHEUS_MULTIPROC_DIR",  # this variable may come from the parent process
):
    os.environ.pop(_name, None)
os.environ["MATTING_DATA_DIR"] = _FOLDER
os.mkdir(f"{_FOLDER}/static")
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from mattingsite.settings import *  # noqa: E402, F403
from mattingsite.settings import DATABASES, STORAGES  # noqa: E402

# Use a file instead of memory, because the threads of a test have separate connections, like the threads of the server.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{_FOLDER}/test.sqlite3"}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
MATTING_REPEAT_WINDOW_S = 0  # most tests repeat a picture intentionally; tests of repetitions set a window
MATTING_TEAM_WINDOW = 1000  # tests of the queue expect all pictures in it; tests of fairness set their own window
MATTING_PIXEL_PROCESSES = False
