"""Runs each query alone on core 0 and prints what it did in a second. Started by `benches/sql/run`."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

QUERIES = Path("tests/sql/nexmark")
# Rows a second and core, from a generator to discard.
FLOORS = {
    "q0": 2_000_000, "q1": 2_000_000, "q2": 2_000_000, "q14": 2_000_000, "q21": 2_000_000, "q22": 2_000_000,
    "q5": 600_000, "q3": 500_000, "q8": 500_000, "q4": 250_000, "q7": 250_000,
    "q15": 150_000, "q16": 150_000, "q17": 150_000, "q9": 100_000, "q18": 100_000, "q19": 100_000, "q20": 100_000,
    "tumbling, each record": 300_000,
}
# Events of 50 that a table has.
SHARES = {"bid": 46, "auction": 3, "person": 1}
EVENTS_AN_EPOCH = 50
KEYS = 1_000_000

MORE = {
    "tumbling, each record": "SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bid WINDOW TUMBLING(10s) "
    "GROUP BY auction EMIT CHANGES WITH ('emit.granularity' = 'record')",
    "tumbling, final": "SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bid WINDOW TUMBLING(10s) GROUP BY auction",
    "sum of decimals": "SELECT auction, SUM(CAST(price AS DECIMAL(18, 4))) AS total FROM bid GROUP BY auction EMIT FINAL",
    "sum of floats": "SELECT auction, SUM(CAST(price AS DOUBLE)) AS total FROM bid GROUP BY auction EMIT FINAL",
    f"{KEYS:,} keys": "SELECT id, COUNT(*) AS n, SUM(id) AS total FROM wide GROUP BY id",
}


def sources(events):
    made = [
        f"CREATE SOURCE {table} WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = '{table}', "
        f"'events' = '{events}');"
        for table in SHARES
    ]
    made.append(
        "CREATE SOURCE wide WITH ('connector' = 'generator', 'fields.id.kind' = 'sequence', "
        f"'fields.id.type' = 'BIGINT', 'rows' = '{KEYS}');"
    )
    made.append("CREATE SINK nothing WITH ('connector' = 'discard');")
    return "\n".join(made)


def rows_read(query, events):
    """Rows of the tables that a query names, each once however often it is read."""
    if re.search(r"\bwide\b", query):
        return KEYS
    return sum(events * share // EVENTS_AN_EPOCH for table, share in SHARES.items() if re.search(rf"\b{table}\b", query))


def run(velox, query, events):
    text = f"{sources(events)}\nINSERT INTO nothing {query}"
    began = time.monotonic()
    command = ["taskset", "-c", "0", velox, "sql", "run", "--quiet", "-e", text]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(said.strip())
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--velox", required=True)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--only")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    nexmark = sorted(QUERIES.glob("q*.sql"), key=lambda file: int(file.stem[1:]))
    queries = {file.stem: file.read_text() for file in nexmark} | MORE
    wanted = arguments.only.split(",") if arguments.only else list(queries)
    # What starting, planning and ending take is no query's.
    _, at_rest, _ = run(arguments.velox, queries["q2"], EVENTS_AN_EPOCH)
    results, failed = [], []
    print("| query | events/s | by the wall | floor | ratio | peak MiB |\n|---|---|---|---|---|---|")
    for name in wanted:
        read = rows_read(queries[name], arguments.events)
        try:
            wall, processor, peak = run(arguments.velox, queries[name], arguments.events)
        except RuntimeError as error:
            failed.append(f"{name}: {error}")
            continue
        rate, floor = read / max(processor - at_rest, 1e-3), FLOORS.get(name)
        against = f"{floor:,} | {rate / floor:.2f}x" if floor else "|"
        print(f"| {name} | {rate:,.0f} | {read / wall:,.0f} | {against} | {peak / 2**20:,.0f} |", flush=True)
        results.append({"query": name, "events": read, "per_second": rate, "wall": wall, "floor": floor, "peak": peak})
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1))
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
