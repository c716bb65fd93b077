-- input t: {"b":true,"i":5,"x":1.5,"s":"z","d":"2026-01-02","t":"12:34:56","ts":"2026-01-02T03:04:05Z"}

CREATE SOURCE t (b BOOLEAN, i INT, x FLOAT, s TEXT, d DATE, t TIME, ts TIMESTAMP(3)) WITH ('topic' = 't');
SELECT * FROM t;
