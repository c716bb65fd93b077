//! The calendar: days since 1970 to year, month and day and back, in the proleptic Gregorian calendar. Pure arithmetic
//! after Howard Hinnant's `chrono`-compatible algorithms (howardhinnant.github.io/date_algorithms.html).

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// A moment taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year, astronomical.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// Milliseconds since midnight.
    pub of_day_ms: i64,
}

impl Civil {
    /// Of milliseconds since 1970.
    pub fn of(moment_ms: i64) -> Self {
        let days = moment_ms.div_euclid(DAY_MS);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day, of_day_ms: moment_ms.rem_euclid(DAY_MS) }
    }

    /// Milliseconds since 1970; `None` where they do not fit.
    pub fn moment_ms(&self) -> Option<i64> {
        days_of(self.year, self.month, self.day)?.checked_mul(DAY_MS)?.checked_add(self.of_day_ms)
    }

    /// The same time of day `months` later, on the last day of the month where that has fewer days.
    pub fn plus_months(&self, months: i64) -> Option<Self> {
        let whole = self.year.checked_mul(12)?.checked_add(self.month - 1)?.checked_add(months)?;
        let (year, month) = (whole.div_euclid(12), whole.rem_euclid(12) + 1);
        Some(Self { year, month, day: self.day.min(days_of_month(year, month)), ..*self })
    }

    /// 0 is Sunday.
    pub fn weekday(&self) -> i64 {
        days_of(self.year, self.month, self.day).map_or(0, |days| (days + 4).rem_euclid(7))
    }

    /// 1 to 366.
    pub fn day_of_year(&self) -> i64 {
        let first = days_of(self.year, 1, 1).unwrap_or_default();
        days_of(self.year, self.month, self.day).map_or(0, |days| days - first + 1)
    }

    /// Year and week as ISO 8601 counts them: week 1 holds the first Thursday.
    pub fn iso_week(&self) -> (i64, i64) {
        let from_monday = (self.weekday() + 6) % 7;
        let thursday = self.day_of_year() - from_monday + 3;
        let length = |year| if is_leap(year) { 366 } else { 365 };
        if thursday < 1 {
            return (self.year - 1, (thursday + length(self.year - 1) - 1) / 7 + 1);
        }
        if thursday > length(self.year) {
            return (self.year + 1, 1);
        }
        (self.year, (thursday - 1) / 7 + 1)
    }
}

/// Days since 1970; `None` where year is out of range.
pub fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if year.abs() > 1_000_000_000 {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// How many days a month has.
pub fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_day_of_six_centuries_is_taken_apart_and_put_together_again() {
        let (mut year, mut month, mut day) = (1700, 1, 1);
        for days in days_of(1700, 1, 1).unwrap()..days_of(2300, 1, 1).unwrap() {
            let civil = Civil::of(days * DAY_MS + 5);
            assert_eq!((civil.year, civil.month, civil.day, civil.of_day_ms), (year, month, day, 5));
            assert_eq!(civil.moment_ms(), Some(days * DAY_MS + 5));
            day += 1;
            if day > days_of_month(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn weeks_are_those_of_iso() {
        let of = |year, month, day| Civil { year, month, day, of_day_ms: 0 };
        assert_eq!(of(2021, 1, 3).iso_week(), (2020, 53));
        assert_eq!(of(2021, 1, 4).iso_week(), (2021, 1));
        assert_eq!(of(2024, 12, 30).iso_week(), (2025, 1));
        assert_eq!(of(2024, 2, 29).weekday(), 4);
        assert_eq!(of(2024, 12, 31).day_of_year(), 366);
    }
}
