SELECT ENCODE('a', 'base64') AS base64, ENCODE('a', 'hex') AS hex, ENCODE(SHA256('a'), 'hex') AS sha256;
SELECT ENCODE(x, 'base64') AS base64, DECODE(ENCODE(x, 'base64'), 'base64') AS decoded FROM (VALUES ('ab'), (NULL)) t(x);
