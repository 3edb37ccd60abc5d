#!/usr/bin/env python
"""The command line of the project: `python manage.py help` lists its commands."""

import os
import sys


def main() -> None:
    if sys.argv[1:] == ["--version"]:  # Django would print its own version
        from mattingsite import __version__

        sys.stdout.write(f"Keyline {__version__}\n")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mattingsite.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Keyline cannot start: {error}")


if __name__ == "__main__":
    main()
