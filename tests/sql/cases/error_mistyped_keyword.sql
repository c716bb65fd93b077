-- fail: SELCT

SELCT id FROM orders;
