-- input t: {"at":"2026-03-04T05:06:07.890Z"}

SELECT DATE_FORMAT(at, 'yyyy-MM-dd HH:mm:ss') AS java, DATE_FORMAT(at, '%Y/%m/%d') AS c FROM t;
