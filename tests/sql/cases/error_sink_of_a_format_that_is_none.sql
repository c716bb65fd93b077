-- topic orders
-- fail: `format` is `protobuf`

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
INSERT INTO out SELECT id FROM orders WITH ('out.format' = 'protobuf');
