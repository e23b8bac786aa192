-- Whether something is yet to happen in the run, or to the user's files because of it.
ALTER TABLE run ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
UPDATE run SET open = status IN ('awaiting-approval', 'running', 'paused', 'stopping');
CREATE INDEX run_open ON run (id) WHERE open;

-- When the last operation on the user's files began for it, in milliseconds since the Unix epoch.
ALTER TABLE run ADD COLUMN operated INTEGER;
CREATE INDEX run_operated ON run (operated) WHERE operated IS NOT NULL;
