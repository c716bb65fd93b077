-- input raw_orders: {"a":1}

SELECT a FROM o WITH (o.type = kafka_source, o.topic = raw_orders);
