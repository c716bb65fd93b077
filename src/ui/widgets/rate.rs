//! A rate over time in one line of text: `▂▃▅▇`. Pure text, no drawing.

use crate::ui::theme::marks::BLOCKS;

/// The newest `cells` values as blocks, oldest first, against the largest among them. Shorter where there are fewer.
pub fn sparkline(values: &[f64], cells: usize) -> String {
    let seen = &values[values.len().saturating_sub(cells)..];
    let largest = seen.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    seen.iter()
        .map(|value| {
            let share = if largest > 0.0 && value.is_finite() { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
            BLOCKS[(share * (BLOCKS.len() - 1) as f64).round() as usize]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_fills_its_cell_and_nothing_is_a_line_at_the_bottom() {
        assert_eq!(sparkline(&[0.0, 50.0, 100.0], 8), "▁▅█");
        assert_eq!(sparkline(&[100.0, 0.0, 0.0, 1.0], 3), "▁▁█", "only what is seen is compared");
        assert_eq!(sparkline(&[0.0, f64::NAN], 8), "▁▁");
        assert_eq!(sparkline(&[], 8), "");
    }
}
