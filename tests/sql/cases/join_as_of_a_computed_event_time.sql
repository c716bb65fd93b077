-- input rates key=EUR: {"cur":"EUR","rate":"1.10","at":1000}
-- input rates key=EUR: {"cur":"EUR","rate":"1.20","at":5000}
-- input rates key=EUR: {"cur":"EUR","rate":"1.30","at":9000}
-- input orders: {"id":1,"cur":"EUR","ts":2000}
-- input orders: {"id":2,"cur":"EUR","ts":5000}
-- input orders: {"id":3,"cur":"EUR","ts":9999}
-- bounded rates
-- bounded orders
-- sorted

CREATE TABLE rates (cur VARCHAR PRIMARY KEY, rate DECIMAL(8, 2), at BIGINT, t AS TO_TIMESTAMP_MILLIS(at), WATERMARK FOR t AS t)
WITH ('topic' = 'rates');
CREATE SOURCE orders (id BIGINT, cur VARCHAR, ts BIGINT, t AS TO_TIMESTAMP_MILLIS(ts), WATERMARK FOR t AS t - INTERVAL '1' SECOND)
WITH ('topic' = 'orders');
SELECT o.id, r.rate FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.t AS r ON o.cur = r.cur;
