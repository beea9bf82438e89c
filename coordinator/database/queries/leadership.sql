-- name: try_lock
-- The advisory lock of the leading dispatcher, held as long as the connection lasts.
select pg_try_advisory_lock(%(lock)s) as had;

-- name: current_epoch
-- The term of whoever leads, or led last.
select epoch from dispatcher;

-- name: begin_epoch
-- A new leader.
update dispatcher set epoch = epoch + 1, leader = %(name)s, since = now(), heartbeat_at = now()
returning epoch;

-- name: heartbeat
-- The leader is alive.
update dispatcher set heartbeat_at = now(), slots = %(slots)s,
    quota_running = %(quota_running)s
where epoch = %(epoch)s
returning epoch;

-- name: resign
-- The leader stops.
update dispatcher set leader = null, heartbeat_at = null, slots = 0 where epoch = %(epoch)s;
