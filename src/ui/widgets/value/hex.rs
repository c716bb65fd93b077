//! Bytes as people read them: offset, hexadecimal, letters.

use std::fmt::Write;

/// Bytes a line where there is room.
pub const WIDE: usize = 16;
/// Cells of the offset before the bytes.
pub const OFFSET_CELLS: u16 = 10;

/// As many bytes a line as the width takes: sixteen, eight or four.
pub fn bytes_a_line(cells: u16) -> usize {
    [WIDE, 8].into_iter().find(|bytes| line_cells(*bytes) <= usize::from(cells)).unwrap_or(4)
}

fn line_cells(bytes: usize) -> usize {
    // Offset, three cells a byte, a gap in the middle, letters between bars.
    usize::from(OFFSET_CELLS) + 3 * bytes + 2 + bytes + 2
}

/// The lines of all bytes, made one by one as they are asked for.
pub fn lines(bytes: &[u8], per_line: usize) -> impl Iterator<Item = String> + '_ {
    bytes.chunks(per_line).enumerate().map(move |(at, chunk)| {
        let mut line = format!("{:08x}  ", at * per_line);
        for place in 0..per_line {
            if place > 0 && place == per_line / 2 {
                line.push(' ');
            }
            // Writing to a text cannot fail.
            let _ = match chunk.get(place) {
                Some(byte) => write!(line, "{byte:02x} "),
                None => write!(line, "   "),
            };
        }
        let letters =
            chunk.iter().map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { *byte as char } else { '·' });
        line.push_str(" |");
        line.extend(letters);
        line.push('|');
        line
    })
}
