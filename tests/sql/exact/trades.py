"""Writes trades as CSV: symbol, price with 2 to 6 fraction digits, quantity, ts. The same seed writes the same bytes."""

import random
import sys

SYMBOLS = [a + b + c for a in "ABCDE" for b in "LMNOP" for c in "QRST"]
# As many lines as are written at once.
CHUNK = 10_000
FIRST_TS_MS = 1_763_733_600_000


def write(path, rows, seed):
    draw = random.Random(seed).getrandbits
    with open(path, "w") as file:
        file.write("symbol,price,quantity,ts\n")
        for start in range(0, rows, CHUNK):
            lines = []
            for row in range(start, min(start + CHUNK, rows)):
                bits = draw(80)
                digits = 2 + (bits & 0xFF) % 5
                # Up to 999,999 in front of the point: with a quantity of six digits a double's 53 bits do not hold a sum.
                whole, fraction = (bits >> 8 & 0xFFFFF) % 1_000_000, (bits >> 28 & 0xFFFFF) % 10**digits
                symbol, quantity = SYMBOLS[(bits >> 48 & 0xFFF) % len(SYMBOLS)], 1 + (bits >> 60 & 0xFFFFF) % 999_999
                lines.append(f"{symbol},{whole}.{fraction:0{digits}d},{quantity},{FIRST_TS_MS + row}\n")
            file.write("".join(lines))


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
