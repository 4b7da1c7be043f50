"""secret_search: are secrets in the memory of a process, in what it was started with, or in files? Each is looked for as it is and as
programs write it. For tests."""
import base64
import pathlib
import re


def base64_parts(data):
    """What of data is in base64 wherever it begins in the text that is encoded: without the characters that its
    neighbours share."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + data)
        yield text[(before * 4 + 2) // 3: (before + len(data)) * 4 // 3]


def forms(text):
    """How programs write it: the longest word, as it is and so in JSON and in URLs, in UTF-16, hexadecimal and base64."""
    word = max(re.findall(r"[A-Za-z0-9]+", text), key=len)
    assert len(word) > 4, text
    return [word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"), word.encode().hex().encode(),
            *base64_parts(text.encode())]


class Secrets:
    """What must be nowhere, by name."""

    def __init__(self):
        self.wanted = {}

    def add(self, name, text):
        self.wanted[name] = forms(text)

    def add_number(self, name, data):
        """A part of a number of a private key, as DER has it and as OpenSSL computes with it on little-endian machines."""
        middle = len(data) // 2
        self.wanted[name] = [data[middle:middle + 24], data[middle:middle + 24][::-1]]

    def found(self, data):
        return [f"{name} as {form!r}" for name, all_forms in self.wanted.items() for form in all_forms if form in data]


def memory(pid):
    """What the process has in memory that does not come from a file as it is: (where, bytes), without the sanitizers'
    map of it, which is terabytes."""
    ranges = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)", line)
        if head:
            start, end = int(head[1], 16), int(head[2], 16)
            ranges.append([start, end, f"{head[3]} {head[5]}", 0])
        elif line.startswith("Rss:"):
            ranges[-1][3] = int(line.split()[1])
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, name, resident in ranges:
            if resident == 0 or end - start > 1 << 32 or "[v" in name or ("w" not in name[:4] and "/" in name):
                continue
            mem.seek(start)
            data = mem.read(end - start)
            for filler in (b"\0", b"\xbe"):  # most of it; the second is AddressSanitizer's
                data = data.replace(filler * 64, filler)
            yield f"{start:x} {name}", data


def flags(pid):
    """The flags of each of a process's mappings, by its beginning in hexadecimal."""
    found, start = {}, None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line)
        start = f"{int(head[1], 16):x}" if head else start
        if line.startswith("VmFlags:"):
            found[start] = set(line.split()[1:])
    return found


def started_with(pid):
    """Its arguments and its environment."""
    return [(name, pathlib.Path(f"/proc/{pid}/{name}").read_bytes()) for name in ("cmdline", "environ")]
