"""The stack the document was written for: aiokafka, jinja2, orjson. In the document's own shape, and as fast as it goes."""

import asyncio
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

import jinja2
import orjson
import uvloop
from aiokafka import AIOKafkaProducer

HEADERS = {
    "X-ETL-Name": "{{ etl_name }}",
    "X-Correlation-ID": "{{ correlation_id }}",
    "X-Timestamp": "{{ timestamp }}",
    "X-Environment": "{{ environment }}",
    "Content-Type": "application/json",
}
# The document's `send_batch(max_concurrency=10)`.
CONCURRENCY = 10
# The producer's settings as the document prints them for an environment.
AS_PRINTED = {"linger_ms": 5, "max_batch_size": 16_384, "acks": "all", "enable_idempotence": False}
# Sends that wait together at best: past this the gather itself costs more than it brings.
GATHER = 2_000


def engine(is_async):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader("templates/payloads"), enable_async=is_async, autoescape=False
    )
    environment.filters["to_json"] = lambda value: orjson.dumps(value).decode()
    environment.filters["iso_date"] = lambda value: value.isoformat()
    environment.globals.update(now=lambda: datetime.now(timezone.utc), uuid4=lambda: str(uuid.uuid4()))
    return environment


def event_context(shared, index, count):
    moment = datetime.now(timezone.utc)
    return {
        **shared, "etl_name": "customer_update", "environment": "bench", "correlation_id": str(uuid.uuid4()),
        "timestamp": moment.isoformat(), "timestamp_ms": int(moment.timestamp() * 1000),
        "event_index": index, "event_count": count,
    }


def sample(shared):
    """One rendered payload with its headers."""
    environment, context = engine(False), event_context(shared, 0, 300_000)
    value = environment.get_template("customer_update.json.j2").render(context)
    headers = [(name, environment.from_string(text).render(context)) for name, text in HEADERS.items()]
    return {"value": value, "headers": headers}


async def as_the_document(producer, topic, shared, count):
    """A semaphore of ten, each event rendered and its send awaited."""
    environment = engine(True)
    template = environment.get_template("customer_update.json.j2")
    key = environment.from_string("{{ customer_id }}")
    headers = {name: environment.from_string(text) for name, text in HEADERS.items()}
    semaphore = asyncio.Semaphore(CONCURRENCY)

    async def one(index):
        async with semaphore:
            context = event_context(shared, index, count)
            value = (await template.render_async(context)).encode()
            rendered = [(name, (await text.render_async(context)).encode()) for name, text in headers.items()]
            await producer.send_and_wait(
                topic, value, key=(await key.render_async(context)).encode(), headers=rendered
            )

    await asyncio.gather(*[one(index) for index in range(count)])


async def at_its_best(producer, topic, shared, count):
    """Templates compiled once and rendered without async, constant headers encoded once, sends gathered by the thousand."""
    environment = engine(False)
    template = environment.get_template("customer_update.json.j2")
    key = shared["customer_id"].encode()
    pending = []
    for index in range(count):
        context = event_context(shared, index, count)
        headers = [
            ("X-ETL-Name", b"customer_update"), ("X-Correlation-ID", context["correlation_id"].encode()),
            ("X-Timestamp", context["timestamp"].encode()), ("X-Environment", b"bench"),
            ("Content-Type", b"application/json"),
        ]
        value = template.render(context).encode()
        pending.append(await producer.send(topic, value, key=key, headers=headers))
        if len(pending) >= GATHER:
            await asyncio.gather(*pending)
            pending.clear()
    await asyncio.gather(*pending)


async def run(broker, topic, shared, count, shape, codec):
    best = {"linger_ms": 5, "max_batch_size": 1_000_000, "acks": "all", "enable_idempotence": True}
    settings = AS_PRINTED if shape == "document" else best
    compression = None if codec == "none" else codec
    producer = AIOKafkaProducer(bootstrap_servers=broker, compression_type=compression, **settings)
    await producer.start()
    began = time.monotonic()
    await (as_the_document if shape == "document" else at_its_best)(producer, topic, shared, count)
    seconds = time.monotonic() - began
    await producer.stop()
    return seconds


def measure(broker, topic, shared, count, shape, codec):
    """Seconds for `count` acknowledged events in a shape: `document` or `best`."""
    Path("templates/payloads/customer_update.json.j2").stat()
    return uvloop.run(run(broker, topic, shared, count, shape, codec))
