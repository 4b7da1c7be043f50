"""report: the figures of a run, on the screen, in a file, and as a document."""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess

import plot
from stage import ROOT

TEMPLATE = pathlib.Path(__file__).resolve().parent / "performance.md.in"


def screen(table):
    """The table as text, with its columns as wide as they must be; numbers to the right."""
    lines = [table["columns"], *table["rows"]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table["columns"]))]
    left = [i == 0 or not re.match(r"[-\d]", table["rows"][0][i]) for i in range(len(widths))]
    text = [table["title"], ""]
    for line in lines:
        text.append("  ".join(cell.ljust(width) if flush else cell.rjust(width)
                              for cell, width, flush in zip(line, widths, left)).rstrip())
    return "\n".join(text)


def markdown(table):
    numbers = [re.match(r"[-\d]", cell) is not None for cell in table["rows"][0]]
    lines = [table["columns"], ["---:" if number else "---" for number in numbers], *table["rows"]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def machine():
    """What it ran on, and how busy that was."""
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = int(re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)[1])
    packages = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "softhsm2", "p11-kit", "opensc-pkcs11", "caml-crush-clients", "libssl3"],
        capture_output=True, text=True).stdout.split("\n")
    policy = "" if os.sched_getscheduler(0) == os.SCHED_OTHER else "; at real-time priority (chrt)"
    return {"policy": policy, "processor": model[1] if model else platform.machine(), "processors": os.cpu_count(), "memory_mib": memory // 1024,
            "kernel": ".".join(platform.release().split(".")[:2]), "load": f"{os.getloadavg()[0]:.2f}",
            "packages": [line for line in packages if " " in line.strip() and not line.endswith(" ")]}


class Report:
    def __init__(self, settings):
        self.settings = settings
        self.path = pathlib.Path(os.environ.get("PINWARD_BENCH_FOLDER") or ROOT / "build" / "bench") / "performance.json"
        self.parts = json.loads(self.path.read_text())["parts"] if self.path.exists() else {}
        self.machine = machine()

    def add(self, name, part):
        """Prints the part's tables, and takes its figures in."""
        part["measured"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        part["seconds"] = self.settings.seconds
        part["machine"] = self.machine
        self.parts[name] = part
        for table in part["tables"].values():
            if not table.get("document_only"):
                print("\n" + screen(table))
        print("\n" + "\n".join(part.get("notes", []) + part.get("verdicts", [])), flush=True)

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"machine": self.machine, "parts": self.parts}, indent=1) + "\n")

    # -- the document --

    def fill(self, word):
        """What stands for @word@ in the template."""
        kind, _, name = word.partition(":")
        if kind == "machine":
            m = self.machine
            return (f"{m['processor']}, {m['processors']} processors, {m['memory_mib']:,} MiB, Linux {m['kernel']}; "
                    + ", ".join(m["packages"]))
        part = self.parts.get(name.split(".")[0])
        if not part:
            return "" if kind == "picture" else "(not measured in this run)"
        if kind == "picture":
            return f"![{plot.PICTURES[name][1]}](pictures/{plot.PICTURES[name][0]})"
        if kind == "table":
            return markdown(part["tables"][name.split(".")[1]])
        if kind == "verdicts":
            return "\n".join(f"- {line}" for line in part.get("verdicts", []) + part.get("notes", []))
        if kind == "when":
            return f"{part['measured']}; load average at the start {part['machine']['load']}{part['machine'].get('policy', '')}"
        raise KeyError(word)

    def write_document(self, folder=ROOT / "docs"):
        text = TEMPLATE.read_text(encoding="utf-8")
        text = re.sub(r"@([a-z]+(?::[a-z_.-]+)?)@", lambda m: self.fill(m[1]), text)
        (folder / "performance.md").write_text(text, encoding="utf-8")
        for name, (file, _, draw) in plot.PICTURES.items():
            if name in self.parts:
                (folder / "pictures" / file).write_text(draw(self.parts[name]), encoding="utf-8")
        print(f"written: {folder}/performance.md and its pictures")
