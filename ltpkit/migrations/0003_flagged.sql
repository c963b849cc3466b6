-- Ticks that came with a flag (see ltpkit/flags): the events of kind `flagged` name them by `seq`. They stay
-- among the ticks; those in the wrong are left out of the newest values, the changes and the bars.

CREATE VIEW flagged_seqs AS
SELECT unnest(range(run[1], run[2] + 1)) AS seq, why
FROM (
    SELECT detail ->> 'why' AS why, unnest(from_json(json_extract(detail, '$.seqs'), '[["BIGINT"]]')) AS run
    FROM feed_events
    WHERE kind = 'flagged'
);

CREATE VIEW flagged AS
SELECT seq, symbol, exchange, timestamp, received_at, ltp, why
FROM ticks
JOIN flagged_seqs USING (seq)
ORDER BY seq;

CREATE VIEW believed_ticks AS
SELECT *
FROM ticks
ANTI JOIN (SELECT seq FROM flagged_seqs WHERE why IN ('price', 'future', 'another day', 'jump')) USING (seq);

-- One row for each instrument: the last known value of every column. A quote carries no price and a
-- trade no quote, so the newest row alone would often be half empty.
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
GROUP BY symbol, exchange;

-- Every price with its change from the tick before (as worked out on arrival) and from the day before.
CREATE OR REPLACE VIEW ltp_changes AS
SELECT
    seq,
    symbol,
    exchange,
    timestamp,
    received_at,
    ltp,
    change,
    change_percent,
    close_price,
    ltp - close_price AS day_change,
    100 * (ltp - close_price) / nullif(close_price, 0) AS day_change_percent
FROM believed_ticks
WHERE ltp IS NOT NULL;

-- What `ltpkit.bars.bars(ticks, "1m")` gives; see there for what the columns mean. Every market opens on
-- a whole minute, so the clock's own minutes do for all exchanges.
CREATE OR REPLACE VIEW bars_1m AS
WITH minutes AS (
    SELECT
        symbol,
        exchange,
        time_bucket(INTERVAL 1 MINUTE, timestamp) AS start,
        arg_min(ltp, seq) AS open,
        max(ltp) AS high,
        min(ltp) AS low,
        arg_max(ltp, seq) AS close,
        max(volume) AS top,
        min(seq) FILTER (WHERE volume IS NOT NULL) AS first_seq,
        arg_min(volume, seq) AS first_total,
        arg_min_null(ltq, seq) FILTER (WHERE volume IS NOT NULL) AS first_qty,
        fsum(ltq) AS traded, -- as exact as bars() is, and the same every time
        count(*) AS ticks
    FROM believed_ticks
    WHERE ltp IS NOT NULL
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
        WHEN before IS NULL THEN greatest(top - day_total, 0) + least(day_total, coalesce(day_qty, 0))
        WHEN top < before THEN top
        ELSE top - before
    END AS volume,
    ticks,
    exchange,
    start + INTERVAL 1 MINUTE > (SELECT max(timestamp) FROM believed_ticks) AS growing
FROM totals
ORDER BY symbol, exchange, start;
