-- The columns of ltpkit/schema.py, in its order. No keys and no indexes: a tick's identity is `seq`,
-- which only ever rises, and a primary key made inserts several times slower when measured.

CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE realtime_ltp (
    seq BIGINT,
    symbol VARCHAR,
    exchange VARCHAR,
    timestamp TIMESTAMPTZ,
    received_at TIMESTAMPTZ,
    ltp DOUBLE,
    ltq DOUBLE,
    open_price DOUBLE,
    high_price DOUBLE,
    low_price DOUBLE,
    close_price DOUBLE, -- the previous day's close, as brokers send it
    volume DOUBLE, -- the day's running total
    bid DOUBLE,
    bid_qty DOUBLE,
    ask DOUBLE,
    ask_qty DOUBLE,
    oi DOUBLE,
    change DOUBLE,
    change_percent DOUBLE,
    source VARCHAR
);

CREATE TABLE realtime_depth (
    seq BIGINT,
    symbol VARCHAR,
    exchange VARCHAR,
    timestamp TIMESTAMPTZ,
    received_at TIMESTAMPTZ,
    bid_price DOUBLE[],
    bid_qty DOUBLE[],
    bid_orders INTEGER[],
    ask_price DOUBLE[],
    ask_qty DOUBLE[],
    ask_orders INTEGER[]
);

CREATE TABLE feed_events (
    seq BIGINT,
    "at" TIMESTAMPTZ,
    kind VARCHAR,
    symbol VARCHAR,
    detail VARCHAR -- a JSON object
);

-- The last `seq` of each table, changed in the transaction that inserts the rows: a writer that
-- is not sure whether a batch was stored looks here, so that no row is stored twice.
CREATE TABLE stored_position (
    table_name VARCHAR NOT NULL,
    last_seq BIGINT NOT NULL
);

INSERT INTO stored_position VALUES ('ticks', 0), ('depth', 0), ('events', 0);
