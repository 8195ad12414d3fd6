#!/usr/bin/env python3
"""Writes pricing.json, the price table this crate embeds.

    python3 crates/providers/data/build_pricing.py FACTS.json > crates/providers/data/pricing.json

FACTS.json is an array of rows, one a model, each with `provider`, `model`, `input_per_mtok_usd`,
`output_per_mtok_usd`, `as_of`, `source` and the optional fields of OPTIONAL. Rows of providers that the
registry does not know are left out. Rows that share a date and a source become one sheet, so that both
are written once; within it they are sorted by provider and model, so that a new table gives a short diff.
"""

import json
import sys
from decimal import Decimal

PROVIDERS = [
    "anthropic", "cerebras", "deepseek", "fireworks", "gemini", "groq",
    "mistral", "openai", "openrouter", "sambanova", "together",
]
REQUIRED = ["provider", "model", "input_per_mtok_usd", "output_per_mtok_usd"]
OPTIONAL = [
    "cached_input_per_mtok_usd", "offpeak_input_per_mtok_usd", "offpeak_output_per_mtok_usd",
    "offpeak_cached_input_per_mtok_usd", "context_window", "max_output_tokens", "retires_on",
    "announced_change", "note",
]


class Exact(float):
    """A number that prints the digits it was read from."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = format(Decimal(text), "f")
        return number

    def __repr__(self):
        return self.text


def row_text(row):
    """One row as one line, fields in the order above."""
    unknown = set(row) - set(REQUIRED) - set(OPTIONAL) - {"as_of", "source"}
    if unknown:
        sys.exit(f"{row['provider']} {row['model']}: unknown fields {sorted(unknown)}")
    kept = {name: row[name] for name in REQUIRED} | {name: row[name] for name in OPTIONAL if name in row}
    fields = []
    for name, value in kept.items():
        text = repr(value) if isinstance(value, Exact) else json.dumps(value, ensure_ascii=False)
        fields.append(f"{json.dumps(name)}:{text}")
    return "{" + ",".join(fields) + "}"


def sheet_text(as_of, source, rows):
    """All rows of one date and source."""
    lines = ",\n".join(row_text(row) for row in sorted(rows, key=lambda r: (r["provider"], r["model"])))
    return f'{{"as_of":{json.dumps(as_of)},"source":{json.dumps(source)},"prices":[\n{lines}\n]}}'


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        facts = json.load(file, parse_float=Exact)
    sheets = {}
    for row in facts:
        if row["provider"] in PROVIDERS:
            sheets.setdefault((row["as_of"], row["source"]), []).append(row)
    texts = [sheet_text(as_of, source, rows) for (as_of, source), rows in sorted(sheets.items())]
    print("[\n" + ",\n".join(texts) + "\n]")


if __name__ == "__main__":
    main()
