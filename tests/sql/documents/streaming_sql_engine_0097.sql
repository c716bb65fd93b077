-- printed in streaming-sql-engine.md, line 97
-- Application metadata
-- @app: trading_signals
-- @version: 1.0.0
-- @description: Real-time trading signal generation

-- Job configuration
-- @job_mode: simple
-- @batch_size: 500

-- Observability
-- @observability.metrics.enabled: true

-- Prometheus metric (optional)
-- @metric: velo_signals_total
-- @metric_type: counter
-- @metric_labels: symbol, signal_type

CREATE STREAM trading_signals AS
SELECT symbol, price, volume,
       CASE WHEN price > avg_price THEN 'BUY' ELSE 'SELL' END as signal_type
FROM market_data
INTO signals_output;
