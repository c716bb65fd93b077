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
    made.append(
        "CREATE TABLE side_input (key BIGINT PRIMARY KEY, value VARCHAR) WITH ('connector' = 'generator', 'rows' = '10000', "
        "'fields.key.kind' = 'sequence', 'fields.value.kind' = 'sequence', 'fields.value.prefix' = 'value ');"
    )
    made.append("CREATE SINK nothing WITH ('connector' = 'discard');")
    return "\n".join(made)


# Records in the topic that the Kafka measurement reads, and of how many one is broken in its second round.
RECORDS = 1_000_000
ONE_BAD_IN = 1_000
KAFKA_FLOOR = 300_000


def rows_read(query, events):
    """Rows of the tables that a query names, each once however often it is read."""
    if re.search(r"\bwide\b", query):
        return KEYS
    return sum(events * share // EVENTS_AN_EPOCH for table, share in SHARES.items() if re.search(rf"\b{table}\b", query))


def run(velox, query, events):
    return timed(velox, f"{sources(events)}\nINSERT INTO nothing {query}")


def timed(velox, text, may_fail=False, meant=()):
    """Runs a text on core 0; its seconds by the wall and of processor time, and its peak memory in bytes."""
    began = time.monotonic()
    command = ["taskset", "-c", "0", velox, "sql", "run", "--quiet", *meant, "-e", text]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    # 1 is the answer of a job that left out bad records.
    if os.waitstatus_to_exitcode(status) not in ((0, 1) if may_fail else (0,)):
        raise RuntimeError(said.strip())
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def kafka(velox, broker, at_rest):
    """JSON from a topic, filtered, as JSON to a topic; then the same where one record in a thousand is broken."""
    name = f"bench-sql-{os.getpid()}"
    connected = f"'connector' = 'kafka', 'bootstrap.servers' = '{broker}'"
    # They are brokers of no environment, which is to be confirmed.
    meant = ("--yes-i-mean", broker)
    columns = "auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, date_time BIGINT, extra VARCHAR"
    bids = RECORDS * EVENTS_AN_EPOCH // SHARES["bid"]
    made = sources(bids)
    for topic, extra in ((f"{name}-good", "extra"), (f"{name}-bad", "extra")):
        broken = f"CASE WHEN price % {ONE_BAD_IN} = 7 THEN 'x' ELSE CAST(price AS VARCHAR) END" if topic.endswith("bad") else "price"
        timed(velox, f"{made}\nCREATE SINK filled WITH ({connected}, 'topic' = '{topic}', 'format' = 'json');\n"
              f"INSERT INTO filled SELECT auction, bidder, {broken} AS price, channel, url, {extra} FROM bid;", meant=meant)
    for title, topic in (("Kafka JSON, filtered, Kafka JSON", f"{name}-good"), (f"the same, 1 in {ONE_BAD_IN:,} broken", f"{name}-bad")):
        text = (f"CREATE SOURCE bids ({columns}) WITH ({connected}, 'topic' = '{topic}', 'format' = 'json', "
                f"'scan.startup.mode' = 'earliest', 'scan.bounded' = 'latest');\n"
                f"CREATE SINK kept WITH ({connected}, 'topic' = '{topic}-kept', 'format' = 'json');\n"
                "INSERT INTO kept SELECT auction, bidder, price, channel FROM bids WHERE price > 1000;")
        wall, processor, peak = timed(velox, text, may_fail=True, meant=meant)
        rate = RECORDS / max(processor - at_rest, 1e-3)
        yield title, RECORDS, rate, RECORDS / wall, peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--velox", required=True)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--only")
    parser.add_argument("--broker")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    nexmark = sorted(QUERIES.glob("q*.sql"), key=lambda file: int(file.stem[1:]))
    queries = {file.stem: file.read_text() for file in nexmark} | MORE
    wanted = list(queries) if arguments.only is None else [name for name in arguments.only.split(",") if name]
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
    for name, read, rate, by_wall, peak in kafka(arguments.velox, arguments.broker, at_rest) if arguments.broker else ():
        against = f"{KAFKA_FLOOR:,} | {rate / KAFKA_FLOOR:.2f}x"
        print(f"| {name} | {rate:,.0f} | {by_wall:,.0f} | {against} | {peak / 2**20:,.0f} |", flush=True)
        results.append({"query": name, "events": read, "per_second": rate, "floor": KAFKA_FLOOR, "peak": peak})
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1))
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
