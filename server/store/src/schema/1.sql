-- What happened, for ever. `hash` chains each event to the one before it in its run: see chain.rs.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    n       INTEGER NOT NULL, -- position in its run, from one
    at      INTEGER NOT NULL, -- milliseconds since the Unix epoch
    version INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    task    TEXT,
    payload TEXT NOT NULL,
    hash    BLOB NOT NULL
) STRICT;
CREATE INDEX event_run ON event (run); -- and by that on (run, seq)

-- The last link of each run's chain, so that events missing at the end are noticed too.
CREATE TABLE chain (
    run  INTEGER PRIMARY KEY,
    n    INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- What is shown. All of it can be made again from the events.
CREATE TABLE run (
    id     INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    seq    INTEGER NOT NULL, -- the last event when the row was written
    view   TEXT NOT NULL
) STRICT;
CREATE INDEX run_status ON run (status);

-- Rows hold whole results, so they live in a table with a rowid and the indices stay narrow.
CREATE TABLE task (
    run      INTEGER NOT NULL,
    path     BLOB NOT NULL, -- four bytes, big-endian, for each level: sorts as the ids do
    step     TEXT NOT NULL,
    status   TEXT NOT NULL,
    attempts INTEGER NOT NULL, -- the number of the last one
    seq      INTEGER NOT NULL,
    view     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_id ON task (run, path);
CREATE INDEX task_step ON task (run, step, path);
CREATE INDEX task_status ON task (status, run, path);

CREATE TABLE count (
    kind   TEXT NOT NULL,
    status TEXT NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (kind, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER run_inserted AFTER INSERT ON run BEGIN
    INSERT INTO count VALUES ('run', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER run_deleted AFTER DELETE ON run BEGIN
    UPDATE count SET n = n - 1 WHERE kind = 'run' AND status = old.status;
END;
CREATE TRIGGER run_moved AFTER UPDATE OF status ON run WHEN old.status <> new.status BEGIN
    UPDATE count SET n = n - 1 WHERE kind = 'run' AND status = old.status;
    INSERT INTO count VALUES ('run', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER task_inserted AFTER INSERT ON task BEGIN
    INSERT INTO count VALUES ('task', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER task_deleted AFTER DELETE ON task BEGIN
    UPDATE count SET n = n - 1 WHERE kind = 'task' AND status = old.status;
END;
CREATE TRIGGER task_moved AFTER UPDATE OF status ON task WHEN old.status <> new.status BEGIN
    UPDATE count SET n = n - 1 WHERE kind = 'task' AND status = old.status;
    INSERT INTO count VALUES ('task', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- Answers to commands, by idempotency key; old ones are pruned.
CREATE TABLE answer (
    id     INTEGER PRIMARY KEY,
    key    TEXT NOT NULL UNIQUE,
    answer TEXT NOT NULL
) STRICT;

-- How far the `events.jsonl` of each attempt has been taken in.
CREATE TABLE ingest (
    run     INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    offset  INTEGER NOT NULL,
    PRIMARY KEY (run, attempt)
) STRICT, WITHOUT ROWID;

-- The outbox of the projection: rows whose files are yet to be written. An empty path is the run.
CREATE TABLE dirty (
    run        INTEGER NOT NULL,
    path       BLOB NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
