"""Calculation of the resources that a large service needs, from the measured values of the benchmark."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.bench.figures import Run, number

MONTH_S = 30 * 86_400
PEAK = 3.0  # the busiest hour relative to the mean
LOAD = 0.7  # of a host's batch rate, so that a queue can become empty
# List prices of large providers, rounded. They are assumptions; everything else is measured.
CPU_HOUR = 0.025
DISK_GB_MONTH = 0.02
EGRESS_GB = 0.05


@dataclass(frozen=True, slots=True)
class Need:
    """One row of the table of needed resources: a resource, its amount, and how the amount was calculated."""

    what: str
    value: str
    derived: str


def needs(run: Run, pictures_a_month: float) -> list[Need]:
    """Return the resources that are needed to process a number of pictures per month.

    Return an empty list if a required value was not measured. run: the run of the benchmark with the measured values.
    """
    values = {figure.key: figure.value for figure in run.figures()}
    keys = ("batch.rate", "hosts.commits", "hosts.rows", "hosts.row_bytes", "hosts.file_bytes", "hosts.cutout_bytes")
    if any(values.get(key) is None for key in keys):
        return []
    rate, commits, rows, row_kb, file_kb, cutout_kb = (float(values[key] or 0) for key in keys)
    cpus = int(run.machine["cpus"])
    mean = pictures_a_month / MONTH_S
    peak = mean * PEAK
    hosts = math.ceil(peak / (rate * LOAD))
    average_hosts = mean / (rate * LOAD)
    stored_tb = pictures_a_month * file_kb / 1e9
    egress_tb = pictures_a_month * cutout_kb / 1e9
    database_tb = pictures_a_month * row_kb / 1e9
    compute = average_hosts * cpus * MONTH_S / 3600 * CPU_HOUR
    disk = stored_tb * 1000 * DISK_GB_MONTH
    egress = egress_tb * 1000 * EGRESS_GB
    each = (compute + disk + egress) / pictures_a_month
    return [
        Need("pictures a second, mean and peak", f"{mean:,.0f} and {peak:,.0f}", f"peak: {PEAK:g} times the mean"),
        Need(
            f"worker hosts of {cpus} processors at the peak",
            f"{hosts:,}",
            f"{number(rate)} pictures/s each in a batch of mixed sizes, loaded to {LOAD:.0%}",
        ),
        Need("queue messages a second", f"{peak * 3:,.0f}", "one to a worker, one announcement, one heartbeat share"),
        Need(
            "database commits a second", f"{peak * commits:,.0f}", f"{number(commits)} a picture, counted by PostgreSQL"
        ),
        Need("rows written a second", f"{peak * rows:,.0f}", f"{number(rows)} a picture, counted by PostgreSQL"),
        Need("database at 30 days' retention", f"{database_tb:,.2f} TB", f"{number(row_kb)} KB a picture with indexes"),
        Need("storage at 30 days' retention", f"{stored_tb:,.0f} TB", f"{number(file_kb)} KB a picture, all files"),
        Need("egress a month", f"{egress_tb:,.0f} TB", f"{number(cutout_kb)} KB a cutout, fetched once"),
        Need(
            "cost of a picture",
            f"${each:.5f}",
            f"processors ${compute:,.0f}, storage ${disk:,.0f}, egress ${egress:,.0f} a month at ${CPU_HOUR} a "
            f"processor hour, ${DISK_GB_MONTH} a GB and month, ${EGRESS_GB} a GB sent",
        ),
    ]


def markdown(run: Run, pictures_a_month: float) -> str:
    rows = needs(run, pictures_a_month)
    if not rows:
        return "Not calculated: a figure that it is derived from was not measured in this run."
    lines = ["| need | value | derived from |", "|---|--:|---|"]
    return "\n".join([*lines, *(f"| {row.what} | {row.value} | {row.derived} |" for row in rows)])
