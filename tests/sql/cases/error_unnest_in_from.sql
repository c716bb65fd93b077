-- topic orders
-- fail: UNNEST is not available in this build

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
SELECT t FROM orders o CROSS JOIN UNNEST(o.tags) AS x(t);
