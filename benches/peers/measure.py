"""Runs each program in turn on one broker and prints what each did in a second. Started by `benches/peers/run`."""

import argparse
import asyncio
import json
import re
import subprocess
import time
import uuid
from pathlib import Path

import python_stack

PARTITIONS = 6
# Events of the two Python shapes: some seconds each at their rates.
PYTHON_DOCUMENT_EVENTS = 6_000
PYTHON_BEST_EVENTS = 100_000
REPEATS = 3


def context():
    """Fields that bring the document's payload to about 1 KB."""
    fields = {f"field_{number}": f"value {number} of a customer's record" for number in range(7)}
    return {"customer_id": "CUST-12345", "source_system": "bench", "fields": fields}


def write_configuration(scratch, broker, codec, topic):
    (scratch / "config/environments").mkdir(parents=True)
    (scratch / "config/etl").mkdir()
    (scratch / "config/environments/bench.yaml").write_text(
        "environment: bench\n"
        f"kafka:\n  bootstrap_servers: \"{broker}\"\n"
        f"producer:\n  linger_ms: 5\n  acks: all\n  compression_type: {codec}\n"
    )
    etl = Path("config/etl/customer_update.yaml").read_text()
    lines = [line for line in etl.splitlines() if not line.startswith("# yaml-language-server")]
    text = re.sub(r"topics:\n(?:  .*\n)+", f'topics:\n  bench: "{topic}"\n', "\n".join(lines))
    # The codec is the environment's here, as it is kcat's and Python's.
    text = text.replace('extra:\n  compression: "lz4"', "extra: {}")
    (scratch / "config/etl/customer_update.yaml").write_text(text + "\n")
    (scratch / "context.json").write_text(json.dumps(context()))


def timed(command, **options):
    began = time.monotonic()
    done = subprocess.run(command, check=True, **options)
    return time.monotonic() - began, done


def velox_run(arguments, topic):
    write_configuration(arguments.scratch / topic, arguments.broker, arguments.codec, topic)
    folder = arguments.scratch / topic
    command = [
        arguments.velox, "run", "--config-dir", folder / "config", "--template-dir", "templates",
        "--environment", "bench", "--etl", "customer_update", "--count", str(arguments.events),
        "--context", folder / "context.json", "--format", "json", "--quiet",
    ]
    seconds, done = timed(command, stdout=subprocess.PIPE)
    report = json.loads(done.stdout)
    total = report.get("total", report)
    assert total["acknowledged"] == arguments.events, total
    return seconds, report


def kcat_produce(arguments, topic, sample):
    # kcat takes a record a line: the payload's newlines become blanks, so that the bytes are as many.
    value = sample["value"].replace("\n", " ")
    lines = arguments.scratch / "lines"
    with lines.open("w") as file:
        for number in range(arguments.events):
            file.write(f"CUST-12345\t{value}\n")
    headers = [flag for name, content in sample["headers"] for flag in ("-H", f"{name}={content}")]
    command = [
        "kcat", "-P", "-b", arguments.broker, "-t", topic, "-K", "\t", "-l", str(lines), "-z", arguments.codec,
        "-X", "acks=all", "-X", "linger.ms=5", "-X", "enable.idempotence=true", *headers,
    ]
    seconds, _ = timed(command)
    lines.unlink()
    return seconds


def kcat_consume(arguments, topic):
    command = ["kcat", "-C", "-b", arguments.broker, "-t", topic, "-o", "beginning", "-e", "-q"]
    return timed(command, stdout=subprocess.DEVNULL)[0]


def velox_tail(arguments, topic):
    command = [
        arguments.velox, "tail", topic, "--config-dir", arguments.scratch / arguments.first / "config",
        "--environment", "bench", "--from", "beginning", "--exit", "--print", "value", "--quiet",
    ]
    return timed(command, stdout=subprocess.DEVNULL)[0]


def create_topic(broker, topic):
    async def create():
        from aiokafka.admin import AIOKafkaAdminClient, NewTopic

        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        await admin.close()

    asyncio.run(create())


def offsets(broker, topic):
    """How many records a topic holds, as the broker says."""

    async def ask():
        from aiokafka import AIOKafkaConsumer, TopicPartition

        consumer = AIOKafkaConsumer(bootstrap_servers=broker)
        await consumer.start()
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        held = sum((await consumer.end_offsets(partitions)).values())
        await consumer.stop()
        return held

    return asyncio.run(ask())


def main():
    parser = argparse.ArgumentParser()
    for name in ("broker", "velox", "codec", "json"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--events", type=int)
    parser.add_argument("--scratch", type=Path)
    arguments = parser.parse_args()
    session = uuid.uuid4().hex[:8]
    best, results = {}, {}

    def note(name, events, seconds):
        rate = events / seconds
        if rate > best.get(name, 0):
            best[name] = rate
        results.setdefault(name, []).append(round(rate))

    sample = python_stack.sample(context())
    size = len(sample["value"].encode())
    for repeat in range(REPEATS):
        topics = {who: f"bench-{session}-{who}-{repeat}" for who in ("velox", "kcat", "document", "best")}
        for topic in topics.values():
            create_topic(arguments.broker, topic)
        arguments.first = topics["velox"]
        seconds, report = velox_run(arguments, topics["velox"])
        note("velox-tui run", arguments.events, seconds)
        assert offsets(arguments.broker, topics["velox"]) == arguments.events
        note("kcat -P", arguments.events, kcat_produce(arguments, topics["kcat"], sample))
        # One reads what the other does, one after the other.
        note("kcat -C", arguments.events, kcat_consume(arguments, topics["velox"]))
        note("velox-tui tail --exit", arguments.events, velox_tail(arguments, topics["velox"]))
        for name, shape, events in (
            ("Python, as the document", "document", PYTHON_DOCUMENT_EVENTS),
            ("Python, at its best", "best", PYTHON_BEST_EVENTS),
        ):
            seconds = python_stack.measure(arguments.broker, topics[shape], context(), events, shape, arguments.codec)
            note(name, events, seconds)

    run, tail = best["velox-tui run"], best["velox-tui tail --exit"]
    ratios = [
        ("run : kcat -P", run / best["kcat -P"], 0.6),
        ("run : Python, as the document", run / best["Python, as the document"], 50),
        ("run : Python, at its best", run / best["Python, at its best"], 8),
        ("tail : kcat -C", tail / best["kcat -C"], 0.9),
    ]
    print(f"{arguments.events} events, payload {size} bytes, codec {arguments.codec}, best of {REPEATS}\n")
    for name, rate in best.items():
        print(f"{name:<28}{rate:>12,.0f} events/s   of {results[name]}")
    print()
    for name, ratio, target in ratios:
        print(f"{name:<34}{ratio:>8.2f} x   target {target:>5} x   {'met' if ratio >= target else 'MISSED'}")
    if arguments.json:
        written = {
            "events": arguments.events, "payload_bytes": size, "codec": arguments.codec,
            "events_per_second": results, "best": best,
            "ratios": {name: {"ratio": ratio, "target": target} for name, ratio, target in ratios},
            "report": report,
        }
        Path(arguments.json).write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
