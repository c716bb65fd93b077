-- sorted
-- time trades: ts
-- bounded trades
-- input trades: {"trader":"ann","pnl":60000,"ts":1000000}
-- input trades: {"trader":"bob","pnl":10,"ts":2000000}
-- input trades: {"trader":"ann","pnl":5,"ts":3000000}
-- input trades: {"trader":"ann","pnl":7,"ts":9000000}
-- input trades: {"trader":"bob","pnl":-70000,"ts":9500000}
-- input trades: {"trader":"bob","pnl":1,"ts":9600000}

CREATE SOURCE trades (trader VARCHAR, pnl BIGINT, at TIMESTAMP(3) METADATA FROM 'timestamp') WITH ('topic' = 'trades');
SELECT trader, pnl, CASE WHEN EXISTS (SELECT 1 FROM trades t2 WHERE t2.trader = trades.trader
    AND t2.at >= trades.at - INTERVAL '1' HOUR AND t2.at <= trades.at AND ABS(t2.pnl) > 50000) THEN 'HIGH_RISK' ELSE 'NORMAL' END AS risk
FROM trades;
