-- A token that opens a WebSocket ends with the session or token it was asked for with (src/access/standing.ts). Those handed out before
-- name none; their clients ask for another.
TRUNCATE subscription_token;
ALTER TABLE subscription_token ADD COLUMN credential text NOT NULL;
