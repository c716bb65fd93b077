SELECT ENCODE('a', 'base64') AS base64, ENCODE('a', 'hex') AS hex, MD5('a') AS md5, SHA256('a') AS sha256, ENCODE(DIGEST('a', 'sha256'), 'hex') AS digest;
SELECT ENCODE(x, 'base64') AS base64, SHA256(x) AS sha256 FROM (VALUES ('ab'), (NULL)) t(x);
