CREATE SOURCE bid WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = 'bid', 'rows' = '${ROWS:-20000}');
CREATE SOURCE auction WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = 'auction', 'rows' = '${ROWS:-20000}');
CREATE SOURCE person WITH ('connector' = 'generator', 'kind' = 'nexmark', 'table' = 'person', 'rows' = '${ROWS:-20000}');
