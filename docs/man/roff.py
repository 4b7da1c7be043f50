"""roff: the Markdown that our documents are written in, as the source of a manual page (man(7)).

What it knows: headings, paragraphs, indented and fenced code, tables, lists of one level, `code`, *emphasis*, **strong**,
links (their text stays, their target goes unless it is an address), and names of pages such as pinward(1). Anything else
stops it, so that no page is made of what was not understood.
"""
import re
import textwrap

INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)|\b([\w.+-]+)\((\d)\)")
ITEM = re.compile(r"(?:-|\d+\.) +(.*)")
TAGGED = re.compile(r"((?:`[^`]+`|\*[^*]+\*|,? )+): +(.*)", re.S)
HAN, CHINESE = "[\u3400-\u9fff]", "[\u3000-\u9fff\uff00-\uffef]"
OUTSIDE = {"\\": r"\e"}
INSIDE = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}


def literal(text):
    """What is typed, character for character."""
    return "".join(INSIDE.get(character, character) for character in text)


def escaped(text):
    """A line that is not broken, such as the one that whatis(1) reads."""
    return "".join(OUTSIDE.get(character, character) for character in text)


def plain(text):
    """Running text. Chinese has no blanks: a line may break before any of its characters, but not before its punctuation."""
    return re.sub(rf"(?<={CHINESE})(?={HAN})", r"\\:", escaped(text))


def unfold(text):
    """The lines of a paragraph as one; between two characters of Chinese there is no blank."""
    return re.sub(rf"(?<={CHINESE}) (?={CHINESE})", "", " ".join(text.split()))


def inline(text):
    """A run of text with its marks."""
    out, end = [], 0
    for mark in INLINE.finditer(text):
        out.append(plain(text[end:mark.start()]))
        end = mark.end()
        code, strong, emphasis, link, target, page, section = mark.groups()
        if code:
            out.append(rf"\fB{literal(code)}\fR")
        elif strong:
            out.append(rf"\fB{inline(strong)}\fR")
        elif emphasis:
            out.append(rf"\fI{plain(emphasis)}\fR")
        elif link:
            out.append(inline(link) + (f" <{literal(target)}>" if "://" in target else ""))
        else:
            out.append(rf"\fB{literal(page)}\fR({section})")
    return "".join(out) + plain(text[end:])


def text_lines(text):
    """Lines of running text, none of which roff takes for a request."""
    lines = textwrap.wrap(inline(unfold(text)), 100, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line[0] in ".'" else line for line in lines]


def paragraph(text):
    return [".PP", *text_lines(text)]


def code(lines):
    body = [literal(line) for line in lines]
    return [".PP", ".RS 4", ".nf", *(rf"\&{line}" if line[:1] in (".", "'") else line for line in body), ".fi", ".RE"]


def tagged(tag, text):
    """An entry of a list that is looked up by its tag; its text begins like a sentence."""
    return [".TP", *text_lines(tag), *text_lines(text[0].upper() + text[1:])]


def cells(row):
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])]


def sentence(text):
    """With its full stop."""
    if text.endswith((".", "?", "。")):
        return text
    return f"{text}。" if re.search(rf"{CHINESE}$", text) else f"{text}."


def table(rows):
    """Rows are entries: the first cell is the tag, the second its text, the others are named by their heads."""
    heads, entries = cells(rows[0]), [cells(row) for row in rows[2:]]
    out = []
    for entry in entries:
        more = [f"{head.capitalize()}: {cell}" for head, cell in zip(heads[2:], entry[2:], strict=True) if cell]
        out += tagged(entry[0], " ".join(sentence(part) for part in [entry[1], *more]))
    return out


def items(lines):
    """The items of a list; what goes on with them is indented."""
    found = []
    for line in lines:
        start = ITEM.match(line)
        if start:
            found.append(start[1])
        else:
            found[-1] += f" {line.strip()}"
    return found


def listing(lines):
    out = []
    numbered = lines[0][0].isdigit()
    for number, item in enumerate(items(lines), 1):
        match = TAGGED.fullmatch(item)
        if match and not numbered:
            out += tagged(match[1], match[2])
        else:
            out += [rf".IP {number}. 4" if numbered else r".IP \(bu 2", *text_lines(item)]
    return out


def blocks(markdown):
    """The document's blocks: each a list of lines that are together."""
    lines = re.sub(r"<!--.*?-->\n?", "", markdown, flags=re.S).split("\n")
    block, fenced = [], False
    for line in [*lines, ""]:
        if line.startswith("```"):
            fenced = not fenced
            if not fenced:
                yield ["```", *block]
                block = []
        elif fenced or line.strip():
            block.append(line)
        elif block and block[0].startswith("    "):
            block.append(line)  # code may have empty lines; they end it when something else follows
        elif block:
            yield block
            block = []
        if len(block) > 1 and block[0].startswith("    ") and line.strip() and not line.startswith("    ") and not fenced:
            yield block[:-1]
            block = [line]
    if block:
        yield block


def strip_code(block):
    lines = block[1:] if block[0] == "```" else [line[4:] for line in block]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def convert(markdown, heading):
    """heading(level, text) gives the lines of a heading."""
    out = []
    for block in blocks(markdown):
        first = block[0]
        if first.startswith("#"):
            marks, text = first.split(" ", 1)
            out += heading(len(marks), text)
            block = block[1:]
            if not block:
                continue
            first = block[0]
        if first == "```" or first.startswith("    "):
            out += code(strip_code(block))
        elif first.startswith("|"):
            out += table(block)
        elif ITEM.match(first):
            out += listing(block)
        elif first.startswith((">", "<", "{")):
            raise ValueError(f"no manual page can be made of: {first}")
        else:
            out += split_list(block)
    return out


def split_list(block):
    """A paragraph; a list may follow it without an empty line."""
    for number, line in enumerate(block):
        if number and ITEM.match(line) and line[:2] == "- ":
            return paragraph(" ".join(block[:number])) + listing(block[number:])
    return paragraph(" ".join(block))
