#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs benches and makes one table of what they say.

    table.py COMMAND…

A bench prints one JSON object per line and number:

    {"what": "CPU per container and interval, 100 containers",
     "value": 41.3, "unit": "µs", "most": 60}

"most" or "least" is the bar; without one the number is there to be read.
"note" says more. Lines that are no JSON object are progress and passed on.
The exit status is 0 when every bar holds and every bench ran to its end."""

import json
import subprocess
import sys


def run(command):
    """Results of one bench, and whether it came to its end."""
    results = []
    with subprocess.Popen([command], stdout=subprocess.PIPE, text=True) as p:
        for line in p.stdout:
            try:
                result = json.loads(line)
                assert isinstance(result, dict)
            except (ValueError, AssertionError):
                print(line, end="", flush=True)
                continue
            results.append(result)
            print("  ".join(row(result)), flush=True)
    return results, p.returncode == 0


def holds(result):
    """None where there is no bar. A number that is none misses every bar."""
    if "most" in result:
        return result["value"] <= result["most"]
    if "least" in result:
        return result["value"] >= result["least"]
    return None


def number(value):
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.3g}"


def row(result):
    bar = ""
    if "most" in result:
        bar = f"≤ {number(result['most'])}"
    elif "least" in result:
        bar = f"≥ {number(result['least'])}"
    return [result["what"], f"{number(result['value'])} {result['unit']}",
            bar, {None: "", True: "holds", False: "MISSED"}[holds(result)],
            result.get("note", "")]


def print_table(results):
    rows = [["what", "measured", "bar", "", "note"], *map(row, results)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    for cells in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width
                                in zip(cells, widths)) + " |")


def main(commands):
    results, failed = [], []
    for command in commands:
        print(f"== {command}", flush=True)
        more, ended_well = run(command)
        results += more
        if not ended_well or not more:
            failed.append(command)
    print()
    print_table(results)
    missed = sum(holds(result) is False for result in results)
    print(f"\n{missed} bars missed, {len(failed)} benches failed")
    for command in failed:
        print(f"failed: {command}")
    return 1 if missed or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
