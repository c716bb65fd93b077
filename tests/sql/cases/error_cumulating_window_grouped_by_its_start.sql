-- fail: window_end
-- input s: {"k":"a","v":1}

SELECT k, began, COUNT(*) AS n
FROM (SELECT k, window_start AS began FROM CUMULATE(s, _timestamp, INTERVAL '5' SECOND, INTERVAL '10' SECOND)) c
GROUP BY k, began;
