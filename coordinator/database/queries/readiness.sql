-- name: dispatcher
-- Who leads, and how long ago it gave a sign of life.
select leader, slots, extract(epoch from now() - heartbeat_at)::float8 as silent_s from dispatcher;
