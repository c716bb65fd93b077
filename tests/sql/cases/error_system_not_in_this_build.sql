-- fail: the connector `postgresql` is not available in this build

SELECT * FROM 'postgresql://localhost/shop?table=orders';
