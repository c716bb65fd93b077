"""Runs one query by velox-tui and by DuckDB over the same file and compares every digit. Started by `compare`."""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from decimal import Decimal

import duckdb

LEAST_PRICE = "1000.005"
# A run that takes as long as this shows its line of progress.
PROGRESS_SECONDS = 1.0


def velox(binary, path):
    """The totals by symbol (numbers: 0.10 is 0.1), wall seconds, peak bytes, and what a terminal saw of the progress."""
    query = (
        "SELECT symbol, COUNT(*) AS n, SUM(price * quantity) AS total "
        f"FROM 'file://{path}?header=true' WHERE price > {LEAST_PRICE} GROUP BY symbol"
    )
    terminal, seen_by = os.openpty()
    seen = bytearray()

    def watch():
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:
                return
            if not part:
                return
            seen.extend(part)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    command = [binary, "sql", "run", "-e", query, "--final", "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=seen_by, env={**os.environ, "TERM": "xterm"})
    os.close(seen_by)
    lines = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    watcher.join()
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"velox-tui ended with {os.waitstatus_to_exitcode(status)}: {seen.decode(errors='replace')}")
    rows = [json.loads(line) for line in lines.splitlines()]
    totals = {row["symbol"]: (row["n"], Decimal(row["total"])) for row in rows}
    assert len(totals) == len(rows), "a symbol came twice"
    return totals, seconds, usage.ru_maxrss * 1024, seen.decode(errors="replace")


def duck(path):
    """The totals by symbol and wall seconds."""
    began = time.monotonic()
    rows = duckdb.sql(
        f"""SELECT symbol, COUNT(*), SUM(price * quantity) FROM read_csv('{path}', header = true, columns = {{
            'symbol': 'VARCHAR', 'price': 'DECIMAL(12, 6)', 'quantity': 'DECIMAL(10, 0)', 'ts': 'BIGINT'}})
            WHERE price > {LEAST_PRICE} GROUP BY symbol"""
    ).fetchall()
    return {symbol: (n, total) for symbol, n, total in rows}, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--velox", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--rows", type=int, required=True)
    arguments = parser.parse_args()
    ours, seconds, peak, seen = velox(arguments.velox, arguments.file)
    theirs, their_seconds = duck(arguments.file)
    size = os.path.getsize(arguments.file)
    print(f"{arguments.rows:,} rows, {size / 2**20:,.0f} MiB, {len(theirs)} symbols")
    print(f"velox-tui {seconds:.2f} s ({arguments.rows / seconds:,.0f} rows/s), peak {peak / 2**20:,.0f} MiB")
    print(f"DuckDB    {their_seconds:.2f} s ({arguments.rows / their_seconds:,.0f} rows/s)")
    if seconds >= PROGRESS_SECONDS and " read" not in seen:
        sys.exit(f"no progress was shown in {seconds:.1f} s: {seen!r}")
    different = [symbol for symbol in sorted(ours.keys() | theirs.keys()) if ours.get(symbol) != theirs.get(symbol)]
    for symbol in different[:10]:
        print(f"{symbol}: {ours.get(symbol)} and not {theirs.get(symbol)}")
    if different:
        sys.exit(f"{len(different)} of {len(theirs)} symbols differ")
    print("every digit agrees")


if __name__ == "__main__":
    main()
