-- topic orders
-- fail: the format `protobuf` is not available in this build

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
INSERT INTO out SELECT id FROM orders WITH ('out.format' = 'protobuf');
