-- input orders: {"id":1,"customer":"CUST-1","at":"2024-01-15T10:20:30Z"}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT EXTRACT(DOY FROM at) AS doy, date_part('week', at) AS week, EXTRACT(seconds FROM at) AS s,
       regexp_replace(customer, '^([A-Z]+)-', '') AS number, DATE_FORMAT(at, '%Y/%m') AS month,
       to_timestamp('2024/02', 'yyyy/MM') AS second
FROM orders WHERE customer ~ '^CUST-\d+$';
