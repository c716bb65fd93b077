-- input orders: {"id":1,"ts":1000}
-- input orders: {"id":2,"ts":400000}
-- input payments: {"order_id":1,"ts":61000}
-- input payments: {"order_id":2,"ts":900000}
-- sorted

CREATE SOURCE orders (id BIGINT, ts BIGINT, t AS TO_TIMESTAMP_MILLIS(ts), WATERMARK FOR t AS t) WITH ('topic' = 'orders');
CREATE SOURCE payments (order_id BIGINT, ts BIGINT, t AS TO_TIMESTAMP_MILLIS(ts), WATERMARK FOR t AS t) WITH ('topic' = 'payments');
SELECT o.id, p.t FROM orders o JOIN payments p ON o.id = p.order_id AND p.t BETWEEN o.t AND o.t + INTERVAL '5' MINUTE;
