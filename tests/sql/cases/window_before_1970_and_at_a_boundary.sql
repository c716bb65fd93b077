-- input t time=-1: {"v":1}
-- input t time=0: {"v":2}
-- input t time=9999: {"v":4}
-- input t time=10000: {"v":8}

SELECT SUM(v) AS s, window_start FROM t WINDOW TUMBLING(10s) WITH ('watermark.max_out_of_orderness' = '1m');
