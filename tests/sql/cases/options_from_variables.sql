-- variable TOPIC: raw_orders
-- input raw_orders: {"a":1}

SELECT a, ${MISSING:-7} AS b FROM o WITH ('o.topic' = '${TOPIC}');
