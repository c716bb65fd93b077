-- fail: DELETE

DELETE FROM orders WHERE id = 1;
