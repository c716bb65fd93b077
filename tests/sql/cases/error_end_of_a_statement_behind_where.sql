-- fail: expected an expression

SELECT amount FROM orders WHERE;
