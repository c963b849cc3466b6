-- Rows of a broker's history, `source` 'backfill', fill gaps: they arrive after rows that are younger.

-- One row for each instrument: the last known value of every column. A quote carries no price and a
-- trade no quote, so the newest row alone would often be half empty. Filled rows arrived last and are older.
CREATE OR REPLACE VIEW latest_ltp AS
SELECT
    max(seq) AS seq,
    symbol,
    exchange,
    arg_max(timestamp, seq) AS timestamp,
    arg_max(received_at, seq) AS received_at,
    arg_max(ltp, seq) AS ltp,
    arg_max(ltq, seq) AS ltq,
    arg_max(open_price, seq) AS open_price,
    arg_max(high_price, seq) AS high_price,
    arg_max(low_price, seq) AS low_price,
    arg_max(close_price, seq) AS close_price,
    arg_max(volume, seq) AS volume,
    arg_max(bid, seq) AS bid,
    arg_max(bid_qty, seq) AS bid_qty,
    arg_max(ask, seq) AS ask,
    arg_max(ask_qty, seq) AS ask_qty,
    arg_max(oi, seq) AS oi,
    arg_max(change, seq) AS change,
    arg_max(change_percent, seq) AS change_percent,
    arg_max(source, seq) AS source
FROM believed_ticks
WHERE source IS DISTINCT FROM 'backfill'
GROUP BY symbol, exchange;

-- What `ltpkit.bars.bars(ticks, "1m")` gives; see there for what the columns mean. Every market opens on
-- a whole minute, so the clock's own minutes do for all exchanges.
CREATE OR REPLACE VIEW bars_1m AS
WITH priced AS NOT MATERIALIZED (
    -- Times of exchange, and the order of arrival among equal ones, as one number: 2 ** 40 rows have room.
    SELECT *, epoch_us(timestamp)::HUGEINT * 1099511627776 + seq AS traded_at
    FROM believed_ticks
    WHERE ltp IS NOT NULL
),
minutes AS (
    SELECT
        symbol,
        exchange,
        time_bucket(INTERVAL 1 MINUTE, timestamp) AS start,
        -- Filled rows arrived afterwards: a minute with some of them goes by exchange time.
        bool_or(source = 'backfill') AS filled,
        if(filled, arg_min(ltp, traded_at), arg_min(ltp, seq)) AS open,
        max(ltp) AS high,
        min(ltp) AS low,
        if(filled, arg_max(ltp, traded_at), arg_max(ltp, seq)) AS close,
        max(volume) AS top,
        min(seq) FILTER (WHERE volume IS NOT NULL) AS first_seq,
        arg_min(volume, seq) AS first_total,
        arg_min_null(ltq, seq) FILTER (WHERE volume IS NOT NULL) AS first_qty,
        arg_min(volume, traded_at) AS filled_total,
        arg_min_null(ltq, traded_at) FILTER (WHERE volume IS NOT NULL) AS filled_qty,
        fsum(ltq) AS traded, -- as exact as bars() is, and the same every time
        count(*) AS ticks
    FROM priced
    GROUP BY ALL
),
totals AS (
    SELECT
        *,
        count(top) OVER instrument > 0 AS has_totals,
        arg_min(first_total, first_seq) OVER instrument AS day_total,
        arg_min_null(first_qty, first_seq) FILTER (WHERE first_seq IS NOT NULL) OVER instrument AS day_qty,
        lag(top IGNORE NULLS) OVER (PARTITION BY symbol, exchange ORDER BY start) AS before
    FROM minutes
    WINDOW instrument AS (PARTITION BY symbol, exchange)
)
SELECT
    symbol,
    start,
    open,
    high,
    low,
    close,
    CASE
        WHEN NOT has_totals THEN traded
        WHEN top IS NULL THEN 0
        WHEN before IS NULL AND filled AND filled_total IS NOT NULL
            THEN greatest(top - filled_total, 0) + least(filled_total, coalesce(filled_qty, 0))
        WHEN before IS NULL THEN greatest(top - day_total, 0) + least(day_total, coalesce(day_qty, 0))
        WHEN top < before THEN top
        ELSE top - before
    END AS volume,
    ticks,
    exchange,
    start + INTERVAL 1 MINUTE > (SELECT max(timestamp) FROM believed_ticks) AS growing
FROM totals
ORDER BY symbol, exchange, start;
