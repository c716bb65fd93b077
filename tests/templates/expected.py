"""Writes corpus/*.expected: what Python's Jinja2 makes of every template of the corpus.

Made with Python 3.11, Jinja2 3.1.6, orjson 3.13.0:
    python3 -m venv /tmp/jinja && /tmp/jinja/bin/pip install jinja2==3.1.6 orjson
    /tmp/jinja/bin/python tests/templates/expected.py

The filters and globals that Jinja2 has not are those of the requirement document, written as the document describes
them. Autoescape is off, an undefined variable is an error, and loop controls are on.
"""

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import jinja2
import orjson

HERE = Path(__file__).parent


def mask_pii(value: str, visible_chars: int = 4) -> str:
    if len(value) <= visible_chars:
        return "*" * len(value)
    return "*" * (len(value) - visible_chars) + value[-visible_chars:]


environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "corpus"),
    undefined=jinja2.StrictUndefined,
    extensions=["jinja2.ext.loopcontrols"],
)
environment.filters["to_json"] = lambda value: orjson.dumps(value).decode()
environment.filters["from_json"] = orjson.loads
environment.filters["hash_md5"] = lambda value: hashlib.md5(str(value).encode()).hexdigest()
environment.filters["hash_sha256"] = lambda value: hashlib.sha256(str(value).encode()).hexdigest()
environment.filters["decimal"] = lambda value: Decimal(str(value))
environment.filters["mask_pii"] = mask_pii
environment.globals["app_version"] = "1.2.3"

context = json.loads((HERE / "context.json").read_text())
for path in sorted((HERE / "corpus").glob("*.j2")):
    rendered = environment.get_template(path.name).render(context)
    path.with_name(path.name.removesuffix(".j2") + ".expected").write_text(rendered)
