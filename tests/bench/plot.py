"""plot: the pictures of docs/performance.md, drawn from the figures as SVG that is readable on light and on dark pages."""
from html import escape

STYLE = """\
<style>
  .page { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e } .line { stroke: #d1d9e0 } .limit { stroke: #59636e }
  .s0 { fill: #0969da; stroke: #0969da } .s1 { fill: #bc4c00; stroke: #bc4c00 } .s2 { fill: #8250df; stroke: #8250df }
  .s3 { fill: #1a7f37; stroke: #1a7f37 } .s4 { fill: #cf222e; stroke: #cf222e } .s5 { fill: #9a6700; stroke: #9a6700 }
  text { font: 13px system-ui, sans-serif }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .ink { fill: #f0f6fc } .faint { fill: #9198a1 } .line { stroke: #3d444d } .limit { stroke: #9198a1 }
    .s0 { fill: #4493f8; stroke: #4493f8 } .s1 { fill: #f0883e; stroke: #f0883e } .s2 { fill: #ab7df8; stroke: #ab7df8 }
    .s3 { fill: #3fb950; stroke: #3fb950 } .s4 { fill: #f85149; stroke: #f85149 } .s5 { fill: #d29922; stroke: #d29922 }
  }
</style>"""
SHAPES = ("circle", "square", "diamond", "up", "down", "cross")


def mark(shape, x, y, colour):
    """One point; ways differ in shape as well as in colour."""
    r = 5
    if shape == "circle":
        return f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
    points = {
        "square": [(-r, -r), (r, -r), (r, r), (-r, r)], "diamond": [(0, -r - 1), (r + 1, 0), (0, r + 1), (-r - 1, 0)],
        "up": [(0, -r - 1), (r + 1, r), (-r - 1, r)], "down": [(0, r + 1), (r + 1, -r), (-r - 1, -r)]}
    if shape == "cross":
        return (f'<path class="{colour}" fill="none" stroke-width="2.5" d="M{x - r:.1f} {y - r:.1f} L{x + r:.1f} {y + r:.1f} '
                f'M{x + r:.1f} {y - r:.1f} L{x - r:.1f} {y + r:.1f}"/>')
    return f'<polygon class="{colour}" points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points[shape])}"/>'


def text(x, y, words, colour="ink", anchor="start"):
    return f'<text class="{colour}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1, y1, x2, y2, colour="line", dash=""):
    return f'<line class="{colour}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {dash and f"stroke-dasharray={chr(34)}{dash}{chr(34)}"}/>'


def page(width, height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>", STYLE, f'<rect class="page" width="{width}" height="{height}"/>',
        text(16, 26, title), *parts, "</svg>", ""])


def ratios(rows):
    """Each way's share of SoftHSM2's operations a second: a row for each operation, with one thread."""
    rows = [row for row in rows if row["threads"] == 1]
    names = [name for name in dict.fromkeys(name for row in rows for name in row["rates"]) if name != "SoftHSM2"]
    left, top, step, width = 190, 76, 30, 860
    right, bottom, most = width - 24, top + step * len(rows), 1.2

    def at(share):
        return left + (right - left) * min(share, most) / most

    parts = []
    for i, name in enumerate(names):
        parts += [mark(SHAPES[i], 24 + 138 * i, 48, f"s{i}"), text(34 + 138 * i, 52, name)]
    for tenth in range(0, 13, 2):
        x = at(tenth / 10)
        parts += [line(x, top - 8, x, bottom), text(x, bottom + 18, f"{tenth / 10:.1f}", "faint", "middle")]
    parts.append(line(at(1), top - 8, at(1), bottom, "limit", "4 3"))
    for i, row in enumerate(rows):
        y = top + step * (i + 0.5)
        parts.append(text(left - 10, y + 4, row["operation"], anchor="end"))
        direct = row["rates"]["SoftHSM2"]["median"]
        for j, name in reversed(list(enumerate(names))):
            if name in row["rates"]:
                share = row["pair"]["median"] if name == "Pinward" else row["rates"][name]["median"] / direct
                parts.append(mark(SHAPES[j], at(share), y, f"s{j}"))
    parts.append(text(16, bottom + 42, "1.0: as many operations a second as SoftHSM2 used directly; one thread; "
                                       "what is beyond 1.2 stands at the edge", "faint"))
    return page(width, bottom + 56, "Each way's share of what SoftHSM2 does directly", parts)


def growth(figures):
    """Applications a second over the number of certificates."""
    sizes = sorted(figures, key=int)
    rates = [figures[size]["rates"] for size in sizes]
    highest = max(max(values) for values in rates)
    step = next(unit * 10 ** power for power in range(6) for unit in (1, 2, 5) if unit * 10 ** power * 6 >= highest)
    most = step * (int(highest / step) + 1)
    left, top, right, bottom = 70, 56, 640, 300
    parts, points = [], []
    for value in range(0, most + 1, step):
        y = bottom - (bottom - top) * value / most
        parts += [line(left, y, right, y), text(left - 8, y + 4, f"{value:,}", "faint", "end")]
    for i, size in enumerate(sizes):
        x = left + (right - left) * (i + 0.5) / len(sizes)
        parts.append(text(x, bottom + 20, f"{int(size):,}", "faint", "middle"))
        values = sorted(rates[i])
        heights = [bottom - (bottom - top) * value / most for value in (values[0], values[len(values) // 2], values[-1])]
        parts.append(line(x, heights[0], x, heights[2], "s0"))
        parts.append(mark("circle", x, heights[1], "s0"))
        points.append(f"{x:.1f},{heights[1]:.1f}")
    parts.append(f'<polyline class="s0" style="fill: none" points="{" ".join(points)}"/>')
    parts.append(text(left, bottom + 44, "certificates in the store; the lines reach from the slowest round to the fastest", "faint"))
    return page(680, bottom + 58, "Applications a second that the portal takes", parts)


# Of which part, the file, what it shows, and what draws it.
PICTURES = {
    "ways": ("performance-ways.svg", "Each way's share of SoftHSM2's operations a second, with one thread",
             lambda part: ratios(part["rows"])),
    "portal": ("performance-portal.svg", "Applications a second over the number of certificates",
               lambda part: growth(part["figures"])),
}
