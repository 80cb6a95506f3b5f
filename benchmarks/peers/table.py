# SPDX-License-Identifier: BSL-1.0
"""What is done with measured numbers: ratios, marks, tables. Standard library only, and tested (tests/peers)."""
import statistics


def ratio(ours, theirs, key="seconds"):
    """Median of the ratios of runs that were made one after the other."""
    return statistics.median(a / max(b, 1e-9) for a, b in zip(ours[key], theirs[key]))


def fastest(results, key="seconds"):
    """The name of the quickest other library among those that have an answer, or None."""
    others = {name: statistics.median(r[key]) for name, r in results.items() if name != "gamut" and r.get(key) and "objective" in r}
    return min(others, key=others.get) if others else None


def leanest(results):
    """The least memory among the other libraries' fits, or None."""
    return min((r["memory"] for name, r in results.items() if name != "gamut" and "memory" in r), default=None)


def at_time(trace, seconds, nonzeros=float("inf")):
    """The least objective in a trace [[seconds, objective, nonzeros], ...] until then, or None."""
    return min((objective for t, objective, used in trace if t <= seconds and used <= nonzeros), default=None)


def time_to(trace, objective, nonzeros=float("inf")):
    """When a trace first has an objective as low as that with at most so many non-zeros, or None."""
    return next((t for t, value, used in trace if value <= objective and used <= nonzeros), None)


def mark(record):
    """"": no goal, or met; "missed"; "beyond the limit", where a record has one."""
    goal, limit, value = record.get("goal"), record.get("limit"), record["value"]
    if record.get("at_least"):
        return "missed" if goal is not None and not value >= goal else ""
    if limit is not None and not value <= limit:
        return "beyond the limit"
    return "missed" if goal is not None and not value <= goal else ""


def number(value):
    return f"{value:.3g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"


def goal_text(record):
    goal, limit = record.get("goal"), record.get("limit")
    if record.get("at_least"):
        return f"at least {number(goal)}"
    return "" if goal is None else f"at most {number(goal)}" + (f" (never above {number(limit)})" if limit is not None else "")


def markdown(machine, libraries, records, cases):
    """The records as a table of cases and metrics, and the seconds of all libraries, in Markdown."""
    lines = [f"{machine.get('processor', '')}, {machine.get('threads', '')} threads, float64, load {machine.get('load at the start', '?')} at the start; "
             + ", ".join(f"{name} {what['version']}" for name, what in libraries.get("found", {}).items()), ""]
    names = list(dict.fromkeys(name for case in cases for name in case["results"] if not case.get("group")))
    lines += ["| seconds of a fit (median) | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for case in cases:
        if case.get("group"):
            continue
        cells = []
        for name in names:
            r = case["results"].get(name, {})
            cells.append(number(statistics.median(r["seconds"])) + (" (!)" if "error" in r else "") if r.get("seconds") else
                         "-" if name in case["results"] else "")
        lines.append(f"| {case['case']} | " + " | ".join(cells) + " |")
    lines += ["", "| case | metric | value | goal | |", "|---|---|---|---|---|"]
    lines += [f"| {r['case']} | `{r['metric']}` | {number(r['value'])} | {goal_text(r)} | {mark(r)} |" for r in records]
    return "\n".join(lines)
