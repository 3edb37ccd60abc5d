"""Reader of settings from environment variables. It collects all invalid values to report them together."""

from __future__ import annotations

import difflib
import ipaddress
import math
import os
import re
import zoneinfo
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_OURS = "MATTING_"
_HOST = re.compile(r"\*|\.?[\w.-]+|\[[0-9a-fA-F:.]+\]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


class Environment:
    """The environment variables. The methods read them with their type and range; `finish` reports all invalid values.

    In the methods, `name` is the variable's name, and `default` is returned if the variable is not set. If a value is
    invalid, the method stores the problem for `finish` and still returns a value, usually `default`, so that all other
    variables are checked too. Instead of NAME, a variable NAME_FILE may give the path of a file with the value, because
    container platforms provide secrets as files. Messages do not contain the values of URLs, because these may contain
    passwords.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._known: set[str] = set()
        self.problems: list[str] = []

    def __call__(self, name: str, default: str = "") -> str:
        """Return a variable as text, or `default` if it is not set."""
        text = self._text(name)
        return default if text is None else text

    def is_set(self, name: str) -> bool:
        """Return whether a variable or its file is given and not empty."""
        return bool(self._text(name))

    def integer(self, name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
        """Return a variable as a whole number from `minimum` to `maximum`; a maximum of None means no upper limit."""
        return int(self._number(name, int, default, minimum, maximum))

    def number(self, name: str, default: float, *, minimum: float = 0.0, maximum: float | None = None) -> float:
        """Return a variable as a number from `minimum` to `maximum`; a maximum of None means no upper limit."""
        return float(self._number(name, float, default, minimum, maximum))

    def limit(
        self, name: str, kind: type[int] | type[float], default: float | None = None, *, minimum: float = 0
    ) -> float | None:
        """Return a variable as a number of at least `minimum`, or None if the variable is set but empty.

        None means that there is no limit. If the variable is not set, return `default`. If the variable is invalid,
        return `default`, or `minimum` if `default` is None or 0.
        kind: the number's type.
        """
        text = self._text(name)
        if text is None:
            return default
        return self._number(name, kind, default or minimum, minimum, None) if text.strip() else None

    def switch(self, name: str, default: bool) -> bool:
        """Return a variable as a boolean; `default` if it is empty.

        Its values are 1 or 0, true or false, yes or no, on or off.
        """
        text = self._text(name)
        if text is None or not text.strip():
            return default
        if text.strip().lower() not in _SWITCHES:
            self._refuse(f"{name}={text} must be one of {', '.join(_SWITCHES)}")
            return default
        return _SWITCHES[text.strip().lower()]

    def items(self, name: str, default: list[str]) -> list[str]:
        """Return the parts of a variable that is a comma-separated list.

        Empty parts, and spaces around the parts, are removed.
        """
        text = self._text(name)
        return default if text is None else [part.strip() for part in text.split(",") if part.strip()]

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """Return a variable whose value must be one of `choices`.

        For any other value, store a problem for `finish` and return `default`.
        """
        text = self(name, default)
        if text not in choices:
            self._refuse(f"{name}={text} must be one of {', '.join(choices)}{_nearest(text, choices)}")
            return default
        return text

    def counts(self, name: str, choices: tuple[str, ...]) -> dict[str, int]:
        """Return a variable such as `fine=3,auto=2` as a dict from the names in `choices` to whole numbers.

        The numbers must be at least 1. Invalid parts are left out and stored as problems for `finish`. If the variable
        is not set, the dict is empty.
        """
        found: dict[str, int] = {}
        for part in self.items(name, []):
            choice, _, number = part.partition("=")
            if choice.strip() in choices and number.strip().isdecimal() and int(number) >= 1:
                found[choice.strip()] = int(number)
            else:
                self._refuse(f"{name}: {part} must be such as {choices[-1]}=3, of {', '.join(choices)}")
        return found

    def pairs(self, name: str, choices: tuple[str, ...]) -> dict[str, list[str]]:
        """Return a variable such as `email=mail,username=uid` as a dict from the names in `choices` to lists of texts.

        A name may occur several times. Invalid parts are left out and stored as problems for `finish`. If the variable
        is not set, the dict is empty.
        """
        found: dict[str, list[str]] = {}
        for part in self.items(name, []):
            choice, _, text = part.partition("=")
            if choice.strip() in choices and text.strip():
                found.setdefault(choice.strip(), []).append(text.strip())
            else:
                self._refuse(f"{name}: {part} must be such as {choices[0]}=TEXT, of {', '.join(choices)}")
        return found

    def time_zone(self, name: str, default: str) -> str:
        """Return a variable that is the name of a time zone, such as `Europe/Berlin`.

        For an unknown time zone, store a problem for `finish` and return `default`.
        """
        text = self(name, default)
        try:
            zoneinfo.ZoneInfo(text)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            known = tuple(zoneinfo.available_timezones())
            self._refuse(f"{name}={text} is not a time zone such as Europe/Berlin{_nearest(text, known)}")
            return default
        return text

    def url(self, name: str, default: str, *, schemes: tuple[str, ...]) -> str:
        """Return a variable that must be a URL with one of `schemes` and with a host or a path.

        For any other value, store a problem for `finish` and return `default`.
        """
        text = self(name, default)
        if text == default:
            return default
        parts = _split(text)
        if parts is None or parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
            self._refuse(f"{name} must be a URL that begins with {_any_of(schemes)}")
            return default
        return text

    def origins(self, name: str, default: list[str]) -> list[str]:
        """Return a variable as a list of origins, such as https://cut.example.com.

        Each invalid origin is stored as a problem for `finish`.
        """
        for origin in (origins := self.items(name, default)):
            parts = _split(origin)
            if parts is None or parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
                self._refuse(f"{name}: {origin} must be an origin such as https://cut.example.com")
        return origins

    def hosts(self, name: str, default: list[str]) -> list[str]:
        """Return a variable as a list of host names or IP addresses, without scheme and port.

        `.example.com` and `*` are allowed as patterns. Each invalid host is stored as a problem for `finish`.
        """
        for host in (hosts := self.items(name, default)):
            if not _HOST.fullmatch(host):
                self._refuse(f"{name}: {host} must be a host name such as cut.example.com, without scheme and port")
        return hosts

    def folders(self, name: str, default: list[str]) -> list[str]:
        """Return a variable as a list of absolute paths of folders.

        A relative path is stored as a problem for `finish`.
        """
        for folder in (folders := self.items(name, default)):
            if not Path(folder).is_absolute():
                self._refuse(f"{name}: {folder} must be an absolute path such as /srv/inputs")
        return folders

    def bucket(self, name: str) -> str:
        """Return a variable that is the name of an S3 bucket; empty if it is not set.

        An invalid name is stored as a problem for `finish`.
        """
        text = self(name)
        if text and not _BUCKET.fullmatch(text):
            self._refuse(f"{name}={text} must be the name of a bucket, without s3:// and without a folder")
        return text

    def sender(self, name: str, default: str) -> str:
        """Return a variable that is the sender of mail: an e-mail address, with or without a name.

        An example with a name is `Keyline <keyline@example.com>`. An invalid address is stored as a problem for
        `finish`.
        """
        text = self(name, default)
        account, _, host = parseaddr(text)[1].rpartition("@")
        if not account or not host:
            self._refuse(f"{name}={text} must be an e-mail address such as Keyline <keyline@example.com>")
        return text

    def networks(self, name: str) -> list[str]:
        """Return a variable as a list of IP networks or IP addresses; empty if it is not set.

        Each invalid entry is stored as a problem for `finish`.
        """
        for network in (networks := self.items(name, [])):
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                self._refuse(f"{name}: {network} is not a network such as 10.0.0.0/8")
        return networks

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Return Django's database settings for a variable that is the URL of a PostgreSQL or SQLite database.

        If the URL is invalid or contains no database name, store a problem for `finish` and return the settings of the
        URL `default`.
        """
        text = self.url(name, default, schemes=("postgres", "postgresql", "sqlite"))
        settings: dict[str, Any] = environ.Env.db_url_config(text)
        if not settings.get("NAME"):
            self._refuse(f"{name} names no database, as in postgres://user:password@host/keyline")
            return dict(environ.Env.db_url_config(default))
        return settings

    def email(self, name: str) -> dict[str, Any]:
        """Return Django's mail settings for a variable that is the URL of a mail server.

        Return an empty dict if the variable is not set or invalid.
        """
        schemes = ("smtp", "smtp+tls", "smtp+ssl", "smtps", "consolemail", "filemail", "memorymail", "dummymail")
        text = self(name)
        if not text:
            return {}
        parts = _split(text)
        if parts is None or parts.scheme not in schemes or (parts.scheme.startswith("smtp") and not parts.hostname):
            self._refuse(f"{name} must be a URL such as smtp+tls://user:password@host:587")
            return {}
        return dict(environ.Env.email_url_config(text))

    def export(self, *names: str) -> None:
        """Set environment variables whose values are given as files, for libraries that do not read such files.

        For each NAME with a NAME_FILE, the file's content is put into NAME, and NAME_FILE is removed.
        names: the variables' names.
        """
        for name in names:
            text = self._text(name)
            if text and os.environ.pop(f"{name}_FILE", None):
                os.environ[name] = text

    def finish(self, *, read_elsewhere: tuple[str, ...] = ()) -> None:
        """Raise ImproperlyConfigured if a value is invalid or if a variable whose name begins with MATTING_ is unknown.

        The message has one line for each such value or variable.
        read_elsewhere: names of variables that other programs of the site read. They are not treated as unknown.
        """
        known = self._known | set(read_elsewhere)
        for name in sorted(self._values):
            if name.startswith(_OURS) and name not in known and name.removesuffix("_FILE") not in known:
                self._refuse(f"{name} is not a setting{_nearest(name, tuple(known))}")
        if self.problems:
            raise ImproperlyConfigured("\n".join(self.problems))

    def _text(self, name: str) -> str | None:
        """Return a variable's value, or the content of the file that NAME_FILE names.

        Return None if neither is set. Also return None if the file cannot be read, and store this problem for `finish`.
        """
        self._known.add(name)
        file_name = f"{name}_FILE"
        path = self._values.get(file_name)
        if not path:
            return self._values.get(name)
        if self._values.get(name):
            self._refuse(f"{name} and {file_name} must not both be set")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self._refuse(f"{file_name}={path} cannot be read: {reason}")
            return None

    def _number(
        self,
        name: str,
        kind: type[int] | type[float],
        default: float,
        minimum: float,
        maximum: float | None,
    ) -> float:
        text = self._text(name)
        if text is None or not text.strip():
            return default
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (value >= minimum and value < math.inf and (maximum is None or value <= maximum)):
            what = "a whole number" if kind is int else "a number"
            most = "" if maximum is None else f" and at most {maximum:g}"
            self._refuse(f"{name}={text} must be {what}, at least {minimum:g}{most}")
            return default
        return value

    def _refuse(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def read_environment() -> Environment:
    """Return an Environment with the variables of this process."""
    return Environment(os.environ)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for a port that is not a number
    except ValueError:
        return None
    return parts


def _nearest(text: str, known: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(text, known, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _any_of(schemes: tuple[str, ...]) -> str:
    *others, last = (f"{scheme}://" for scheme in schemes)
    return f"{', '.join(others)} or {last}" if others else last
