-- fail: there is no connector `kafak`

CREATE SOURCE t WITH ('connector' = 'kafak');
SELECT * FROM t;
