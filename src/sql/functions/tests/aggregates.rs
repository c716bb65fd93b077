//! Aggregates under their names, and over frames that slide.

use super::*;

#[tokio::test]
async fn aggregates_answer_under_every_name() {
    let context = context(&Functions::builtin());
    for (aggregate, expected) in [
        ("count_if(v > 2)", "a|2\nb|2"),
        ("listagg(n)", "a|1,2,3\nb|4,5,6"),
        ("listagg(n, '-') WITHIN GROUP (ORDER BY n DESC)", "a|3-2-1\nb|6-5-4"),
        ("string_agg(n, '|' ORDER BY n)", "a|1|2|3\nb|4|5|6"),
        ("collect(n)", "a|[1, 2, 3]\nb|[4, 5, 6]"),
        ("array_length(collect_set(n % 2))", "a|2\nb|2"),
        ("percentile_disc(0.5) WITHIN GROUP (ORDER BY v)", "a|2.20\nb|10.00"),
        ("percentile_disc(0.5) WITHIN GROUP (ORDER BY v DESC)", "a|2.20\nb|20.00"),
        ("percentile_disc(v, 1)", "a|3.30\nb|20.00"),
        ("percentile_cont(0.5) WITHIN GROUP (ORDER BY v)", "a|2.200000\nb|15.000000"),
        ("percentile_cont(0.95) WITHIN GROUP (ORDER BY v)", "a|3.190000\nb|19.500000"),
        ("percentile_cont(0.95) WITHIN GROUP (ORDER BY v DESC)", "a|1.210000\nb|10.500000"),
        ("percentile_cont(0.25) WITHIN GROUP (ORDER BY n)", "a|1.5\nb|4.5"),
        ("quantile_cont(CAST(n AS DOUBLE), 0.25)", "a|1.5\nb|4.5"),
        ("percentile_disc(0.34) WITHIN GROUP (ORDER BY n)", "a|2\nb|5"),
        ("median(n)", "a|2.0\nb|5.0"),
        ("median(v) = 2.20", "a|true\nb|false"),
        ("approx_count_distinct(n)", "a|3\nb|3"),
        ("stddev_pop(CAST(n AS DOUBLE))", "a|0.816496580927726\nb|0.816496580927726"),
        ("stddev_samp(n)", "a|1.0\nb|1.0"),
        ("variance(n)", "a|1.0\nb|1.0"),
        ("var_pop(n) < 0.67", "a|true\nb|true"),
        ("earliest(n ORDER BY n)", "a|1\nb|4"),
        ("latest_by_offset(n ORDER BY n)", "a|3\nb|6"),
        ("every(n > 1)", "a|false\nb|true"),
    ] {
        let found = rows(&context, &format!("SELECT k, {aggregate} FROM {ORDERS} GROUP BY k ORDER BY k")).await;
        assert_eq!(found.as_deref(), Ok(expected), "{aggregate}");
    }
}

#[tokio::test]
async fn aggregates_that_forget_slide() {
    let context = context(&Functions::builtin());
    for (aggregate, expected) in
        [("count_if(n % 2 = 0)", "0\n1\n1\n1\n1\n1"), ("percentile_disc(n, 0.5)", "1\n1\n2\n3\n4\n5")]
    {
        let query = format!(
            "SELECT {aggregate} OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {ORDERS} ORDER BY n"
        );
        assert_eq!(rows(&context, &query).await.as_deref(), Ok(expected), "{aggregate}");
    }
}
