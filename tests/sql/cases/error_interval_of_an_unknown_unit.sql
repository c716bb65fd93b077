-- fail: no unit of an interval
SELECT INTERVAL '5' MINUTS;
