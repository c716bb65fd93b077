CREATE SOURCE bid WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = 'bid', 'events' = '${EVENTS:-20000}', 'event.rate' = '${EVENT_RATE:-10000}', 'splits' = '${SPLITS:-1}');
CREATE SOURCE auction WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = 'auction', 'events' = '${EVENTS:-20000}', 'event.rate' = '${EVENT_RATE:-10000}', 'splits' = '${SPLITS:-1}');
CREATE SOURCE person WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = 'person', 'events' = '${EVENTS:-20000}', 'event.rate' = '${EVENT_RATE:-10000}', 'splits' = '${SPLITS:-1}');
CREATE TABLE side_input (key BIGINT PRIMARY KEY, value VARCHAR) WITH ('connector' = 'generator', 'rows' = '10000', 'fields.key.kind' = 'sequence', 'fields.value.kind' = 'sequence', 'fields.value.prefix' = 'value ');
