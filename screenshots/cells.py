"""A terminal's screen, as `tmux capture-pane -e` prints it, to SVG.

Lines, blocks and braille are drawn as shapes, so that they join as they do in a good terminal whatever font the reader has;
everything else is text in DejaVu Sans Mono. It fetches nothing and refers to no web font.
"""

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

# Whole numbers, so that lines and blocks meet without a seam.
CELL_WIDTH, CELL_HEIGHT, BASELINE = 9.0, 18.0, 14.0
FONT_SIZE = CELL_WIDTH / 0.60205  # the advance of every glyph of DejaVu Sans Mono
MARGIN = 12.0
FONTS = "'DejaVu Sans Mono', 'Menlo', 'Consolas', monospace"

FOREGROUND = "#d8dee9"
BACKGROUND = "#11151c"
PALETTE = [
    "#1b212b", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
    "#5c6370", "#f07f88", "#a9d38a", "#f0cf8f", "#79bef9", "#d58cec", "#6cc7d2", "#ffffff",
]  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How one cell is drawn; None is the terminal's own colour."""

    foreground: str | None = None
    background: str | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    reverse: bool = False

    def ink(self) -> str:
        """The colour of the glyph."""
        colour = (self.background or BACKGROUND) if self.reverse else (self.foreground or FOREGROUND)
        return blend(colour, self.paper() or BACKGROUND, 0.6) if self.dim else colour

    def paper(self) -> str | None:
        """The colour behind the glyph; None where the screen shows through."""
        return (self.foreground or FOREGROUND) if self.reverse else self.background


def blend(colour: str, under: str, share: float) -> str:
    """`share` of `colour` over `under`."""
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(under[1:]))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def indexed(number: int) -> str:
    """The colour of xterm's 256 with this number."""
    if number < 16:
        return PALETTE[number]
    if number < 232:
        steps = [0, 95, 135, 175, 215, 255]
        cube = number - 16
        red, green, blue = steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6]
    else:
        red = green = blue = 8 + 10 * (number - 232)
    return f"#{red:02x}{green:02x}{blue:02x}"


FLAGS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
CLEARED = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}


def restyled(style: Style, parameters: str) -> Style:
    """`style` after one `ESC [ parameters m`."""
    numbers = [int(part.split(":")[0] or 0) for part in parameters.split(";")]
    at = 0
    while at < len(numbers):
        number = numbers[at]
        at += 1
        if number == 0:
            style = Style()
        elif number in FLAGS:
            style = replace(style, **{FLAGS[number]: True})
        elif number in CLEARED:
            style = replace(style, **{flag: False for flag in CLEARED[number]})
        elif number in (38, 48):
            field = "foreground" if number == 38 else "background"
            if numbers[at] == 5:
                colour, at = indexed(numbers[at + 1]), at + 2
            else:
                colour, at = "#%02x%02x%02x" % tuple(numbers[at + 1 : at + 4]), at + 4
            style = replace(style, **{field: colour})
        elif number == 39:
            style = replace(style, foreground=None)
        elif number == 49:
            style = replace(style, background=None)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = replace(style, foreground=PALETTE[number - 30 if number < 90 else number - 82])
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = replace(style, background=PALETTE[number - 40 if number < 100 else number - 92])
    return style


ESCAPE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()]?[0-9A-Za-z]|[\x00-\x1f]")


def read(screen: str) -> list[list[tuple[str, int, Style]]]:
    """The rows of a screen: (glyph with its combining marks, columns it takes, style)."""
    rows, style = [], Style()
    for line in screen.split("\n"):
        row, at = [], 0
        while at < len(line):
            found = ESCAPE.match(line, at)
            if found:
                if found.group(1) is not None:
                    style = restyled(style, found.group(1))
                at = found.end()
                continue
            glyph = line[at]
            at += 1
            if row and (unicodedata.combining(glyph) or glyph in "\u200d\ufe0f"):
                row[-1] = (row[-1][0] + glyph, row[-1][1], row[-1][2])
            else:
                row.append((glyph, 2 if unicodedata.east_asian_width(glyph) in "WF" else 1, style))
        rows.append(row)
    return rows


# The arms of a box-drawing glyph: up, right, down, left; 1 is light, 2 is heavy, 3 is double.
ARMS = {
    "─": "0101", "│": "1010", "┌": "0110", "┐": "0011", "└": "1100", "┘": "1001", "├": "1110", "┤": "1011", "┬": "0111", "┴": "1101",
    "┼": "1111", "╴": "0001", "╵": "1000", "╶": "0100", "╷": "0010", "━": "0202", "┃": "2020", "┏": "0220", "┓": "0022", "┗": "2200",
    "┛": "2002", "┣": "2220", "┫": "2022", "┳": "0222", "┻": "2202", "╋": "2222", "╸": "0002", "╹": "2000", "╺": "0200", "╻": "0020",
    "═": "0303", "║": "3030", "╔": "0330", "╗": "0033", "╚": "3300", "╝": "3003", "╠": "3330", "╣": "3033", "╦": "0333", "╩": "3303",
    "╬": "3333", "┄": "0101", "┈": "0101", "╌": "0101", "┆": "1010", "┊": "1010", "╎": "1010",
}  # fmt: skip
DASHED = "┄┈╌┆┊╎"
ROUND = {"╭": (1, 1), "╮": (-1, 1), "╯": (-1, -1), "╰": (1, -1)}
QUARTERS = {"▘": 1, "▝": 2, "▀": 3, "▖": 4, "▌": 5, "▞": 6, "▛": 7, "▗": 8, "▚": 9, "▐": 10, "▜": 11, "▄": 12, "▙": 13, "▟": 14, "█": 15}
BRAILLE = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]  # column and row of each bit


def rectangle(x: float, y: float, width: float, height: float, colour: str, extra: str = "") -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"{extra}/>'


def shape(glyph: str, x: float, y: float, colour: str) -> str | None:
    """A glyph that must meet its neighbours, as a shape; None where text serves."""
    if glyph in ARMS:
        return box(glyph, x, y, colour)
    if glyph in ROUND:
        middle_x, middle_y = x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2
        right, down = ROUND[glyph]
        radius = CELL_WIDTH / 2
        path = (
            f"M{middle_x:.2f} {middle_y + down * CELL_HEIGHT / 2:.2f}V{middle_y + down * radius:.2f}"
            f"Q{middle_x:.2f} {middle_y:.2f} {middle_x + right * radius:.2f} {middle_y:.2f}"
        )
        return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1"/>'
    code = ord(glyph[0])
    if glyph in QUARTERS:
        half_x, half_y = CELL_WIDTH / 2, CELL_HEIGHT / 2
        corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
        if QUARTERS[glyph] == 15:
            return rectangle(x, y, CELL_WIDTH, CELL_HEIGHT, colour)
        return "".join(
            rectangle(x + column * half_x, y + row * half_y, half_x, half_y, colour)
            for bit, (column, row) in enumerate(corners)
            if QUARTERS[glyph] >> bit & 1
        )
    if 0x2581 <= code <= 0x2587:  # lower eighths
        height = CELL_HEIGHT * (code - 0x2580) / 8
        return rectangle(x, y + CELL_HEIGHT - height, CELL_WIDTH, height, colour)
    if 0x2589 <= code <= 0x258F:  # left eighths
        return rectangle(x, y, CELL_WIDTH * (0x2590 - code) / 8, CELL_HEIGHT, colour)
    if glyph == "▔":
        return rectangle(x, y, CELL_WIDTH, CELL_HEIGHT / 8, colour)
    if glyph == "▕":
        return rectangle(x + CELL_WIDTH * 7 / 8, y, CELL_WIDTH / 8, CELL_HEIGHT, colour)
    if glyph in "░▒▓":
        return rectangle(x, y, CELL_WIDTH, CELL_HEIGHT, colour, f' fill-opacity="{(code - 0x2590) / 4:.2f}"')
    if 0x2800 <= code <= 0x28FF:
        step_x, step_y = CELL_WIDTH / 2, CELL_HEIGHT / 4
        dots = [
            f'<circle cx="{x + (column + 0.5) * step_x:.2f}" cy="{y + (row + 0.5) * step_y:.2f}" r="1.45"/>'
            for bit, (column, row) in enumerate(BRAILLE)
            if (code - 0x2800) >> bit & 1
        ]
        return f'<g fill="{colour}">{"".join(dots)}</g>'
    return None


def box(glyph: str, x: float, y: float, colour: str) -> str:
    """A box-drawing glyph, drawn from the middle of its cell outwards."""
    middle_x, middle_y = x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2
    ends = [(middle_x, y), (x + CELL_WIDTH, middle_y), (middle_x, y + CELL_HEIGHT), (x, middle_y)]
    lines = []
    for weight, (end_x, end_y) in zip(map(int, ARMS[glyph]), ends):
        width = 2.0 if weight == 2 else 1.0
        for shift in (-1.5, 1.5) if weight == 3 else (0.0,):
            upright = end_x == middle_x
            # An arm begins a little before the middle, so that corners close.
            back = math.copysign(width / 2 + (weight == 3) * 1.5, (middle_y - end_y) if upright else (middle_x - end_x))
            start = (middle_x + shift, middle_y + back) if upright else (middle_x + back, middle_y + shift)
            end = (end_x + shift, end_y) if upright else (end_x, end_y + shift)
            if weight:
                path = f"M{start[0]:.2f} {start[1]:.2f}L{end[0]:.2f} {end[1]:.2f}"
                lines.append(f'<path d="{path}" stroke-width="{width}"/>')
    dash = ' stroke-dasharray="2.2 1.6"' if glyph in DASHED else ''
    return f'<g stroke="{colour}" fill="none"{dash}>{"".join(lines)}</g>'


def text(glyphs: str, columns: int, x: float, y: float, style: Style) -> str:
    """A run of glyphs of one style."""
    attributes = [f'x="{x:.2f}" y="{y + BASELINE:.2f}" fill="{style.ink()}"']
    if style.bold:
        attributes.append('font-weight="bold"')
    if style.italic:
        attributes.append('font-style="italic"')
    if len(glyphs) > 1:
        attributes.append(f'textLength="{columns * CELL_WIDTH:.2f}"')
    return f'<text {" ".join(attributes)}>{escape(glyphs)}</text>'


def svg(screen: str, columns: int, lines: int, cursor: tuple[int, int] | None = None, title: str = "") -> str:
    """The screen as one SVG document; `cursor` is its column and line where it is to be seen."""
    width, height = columns * CELL_WIDTH + 2 * MARGIN, lines * CELL_HEIGHT + 2 * MARGIN
    papers, marks, inks = [], [], []
    for number, row in enumerate(read(screen)[:lines]):
        y, column, at = MARGIN + number * CELL_HEIGHT, 0, 0
        while at < len(row):
            glyph, wide, style = row[at]
            end, run = at + 1, wide
            while end < len(row) and row[end][2] == style:
                run += row[end][1]
                end += 1
            x = MARGIN + column * CELL_WIDTH
            if style.paper():
                papers.append(rectangle(x, y, run * CELL_WIDTH, CELL_HEIGHT, style.paper(), ' shape-rendering="crispEdges"'))
            if style.underline:
                marks.append(rectangle(x, y + BASELINE + 2, run * CELL_WIDTH, 1, style.ink()))
            if style.strike:
                marks.append(rectangle(x, y + BASELINE - 4, run * CELL_WIDTH, 1, style.ink()))
            inks.extend(drawn(row[at:end], column, y, style))
            column, at = column + run, end
    if cursor:
        x, y = MARGIN + cursor[0] * CELL_WIDTH, MARGIN + cursor[1] * CELL_HEIGHT
        marks.append(rectangle(x, y, CELL_WIDTH, CELL_HEIGHT, FOREGROUND, ' fill-opacity="0.6"'))
    name = f"<title>{escape(title)}</title>" if title else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.2f} {height:.2f}" width="{width:.0f}" height="{height:.0f}">{name}',
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
            *papers,
            f'<g font-family="{FONTS}" font-size="{FONT_SIZE:.3f}" xml:space="preserve">',
            *inks,
            "</g>",
            *marks,
            "</svg>\n",
        ]
    )


def drawn(cells: list[tuple[str, int, Style]], column: int, y: float, style: Style):
    """The ink of cells that share a style: plain words as one text, anything else cell by cell."""
    word, start = "", column
    for glyph, wide, _ in cells:
        if glyph.isascii() and glyph != " ":
            start = start if word else column
            word += glyph
        else:
            if word:
                yield text(word, len(word), MARGIN + start * CELL_WIDTH, y, style)
                word = ""
            if glyph not in " \u00a0":
                x = MARGIN + column * CELL_WIDTH
                yield shape(glyph, x, y, style.ink()) or text(glyph, wide, x, y, style)
        column += wide
    if word:
        yield text(word, len(word), MARGIN + start * CELL_WIDTH, y, style)
