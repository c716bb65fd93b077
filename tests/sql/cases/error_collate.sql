-- fail: COLLATE is not known
SELECT 'a' COLLATE "C" AS a;
