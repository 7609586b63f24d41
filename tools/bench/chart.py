#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""chart.py CSV: instructions of ADD against the size of the region, as SVG.

CSV has lines "GIB,INSTRUCTIONS". Both axes are logarithmic, powers of 2 and of 10; the
line is that through the smallest and the largest region. Same input, same bytes."""
import math
import sys

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
STYLE = ("text{font:13px sans-serif;fill:#222}.grid{stroke:#ddd}.axis{stroke:#222}"
         ".line{stroke:#888;fill:none}.dot{fill:#0b5394}")


def read(text):
    """[(GiB, instructions)], by size."""
    points = [tuple(float(word) for word in line.split(","))
              for line in text.splitlines() if line and not line.startswith("#")]
    if len(points) < 2 or any(len(point) != 2 or min(point) <= 0 for point in points):
        raise ValueError("two lines GIB,INSTRUCTIONS or more are needed, of numbers above 0")
    return sorted(points)


class Axis:
    """Of values from @low to @high, at pixels from @start to @end."""

    def __init__(self, low, high, base, start, end):
        self.base = base
        self.low = math.floor(math.log(low, base) + 1e-9)
        self.high = max(math.ceil(math.log(high, base) - 1e-9), self.low + 1)
        self.start, self.end = start, end

    def at(self, value):
        part = (math.log(value, self.base) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        return [self.base ** power for power in range(self.low, self.high + 1)]


def text(x, y, words, anchor="middle"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def grid(across, up):
    for gib in across.ticks():
        yield line(across.at(gib), up.start, across.at(gib), up.end, "grid")
        yield text(across.at(gib), up.start + 20, f"{gib:g}")
    for count in up.ticks():
        yield line(across.start, up.at(count), across.end, up.at(count), "grid")
        yield text(across.start - 8, up.at(count) + 4, f"{count / 1e6:g} M", "end")
    yield line(across.start, up.start, across.end, up.start, "axis")
    yield line(across.start, up.start, across.start, up.end, "axis")


def curve(points, across, up, steps=64):
    """The straight line, which is bent where an axis is logarithmic."""
    (x1, y1), (x2, y2) = points[0], points[-1]
    xs = [x1 * (x2 / x1) ** (step / steps) for step in range(steps + 1)]
    at = [(across.at(x), up.at(y1 + (y2 - y1) * (x - x1) / (x2 - x1))) for x in xs]
    return '<polyline class="line" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in at) + '"/>'


def svg(points):
    across = Axis(points[0][0], points[-1][0], 2, LEFT, WIDTH - RIGHT)
    up = Axis(min(y for _, y in points), max(y for _, y in points), 10, HEIGHT - BOTTOM, TOP)
    dots = [f'<circle class="dot" cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="4">'
            f"<title>{x:g} GiB: {y / 1e6:.2f} M instructions</title></circle>" for x, y in points]
    body = [*grid(across, up), curve(points, across, up), *dots,
            text(WIDTH / 2, 22, "Instructions of ADD, of a region in a PV dom0"),
            text(WIDTH / 2, HEIGHT - 10, "size of the region, GiB")]
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<!-- SPDX-License-Identifier: GPL-2.0 -->",
        "<!-- Made by tools/bench/chart.py of xen-pmem-add.csv. -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *body, "</svg>", ""])


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: chart.py CSV")
    try:
        with open(sys.argv[1], encoding="ascii") as stream:
            points = read(stream.read())
    except (OSError, ValueError) as error:
        sys.exit(f"chart.py: {sys.argv[1]}: {error}")
    sys.stdout.write(svg(points))


if __name__ == "__main__":
    main()
