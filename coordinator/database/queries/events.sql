-- name: events_by_ids
-- Events just told of, in the order of their ids.
select id, export_id, user_id, batch_id, passing, data::text as data, data->>'status' as status
from events where id = any(%(ids)s) order by id;

-- name: export_events_after
-- What was told of an export after an event.
select id, export_id, user_id, batch_id, passing, data::text as data, data->>'status' as status
from events where export_id = %(of)s and id > %(after)s order by id limit %(limit)s;

-- name: latest_event
-- What was told of an export last.
select id, export_id, user_id, batch_id, passing, data::text as data, data->>'status' as status
from events where export_id = %(of)s order by id desc limit 1;

-- name: batch_latest_id
-- The last event of a batch.
select coalesce(max(id), 0) as id from events where batch_id = %(of)s;

-- name: user_latest_id
-- The last event of a user's exports.
select coalesce(max(id), 0) as id from events where user_id = %(of)s;

-- name: batch_under_way
-- How those exports of a batch stand that are being made.
select v.id, v.export_id, v.user_id, v.batch_id, v.passing, v.data::text as data,
    v.data->>'status' as status
from (select id from export_jobs
    where batch_id = %(of)s and deleted_at is null
        and status in ('rendering', 'uploading') limit %(limit)s) e
cross join lateral (
    select * from events where export_id = e.id order by id desc limit 1) v
order by v.id;

-- name: user_under_way
-- How those exports of a user's stand that are being made.
select v.id, v.export_id, v.user_id, v.batch_id, v.passing, v.data::text as data,
    v.data->>'status' as status
from (select id from export_jobs
    where user_id = %(of)s and deleted_at is null
        and status in ('rendering', 'uploading') limit %(limit)s) e
cross join lateral (
    select * from events where export_id = e.id order by id desc limit 1) v
order by v.id;

-- name: batch_settled_id
-- Up to which event of a batch nothing came in between any more once the one at a position could be
-- read: a transaction lives for a minute at most, and has its event's time from its own beginning.
select coalesce(max(id), 0) as id from (
    select id from events
    where batch_id = %(of)s and id <= %(position)s and created_at < (
        select created_at from events where batch_id = %(of)s and id <= %(position)s
        order by id desc limit 1) - interval '2 minutes'
    order by id desc limit 1) settled;

-- name: user_settled_id
-- The same for a user's exports.
select coalesce(max(id), 0) as id from (
    select id from events
    where user_id = %(of)s and id <= %(position)s and created_at < (
        select created_at from events where user_id = %(of)s and id <= %(position)s
        order by id desc limit 1) - interval '2 minutes'
    order by id desc limit 1) settled;

-- name: batch_events_after
-- What was told of a batch after an event; up to a position only changes of state.
select id, export_id, user_id, batch_id, passing, data::text as data, data->>'status' as status
from events
where batch_id = %(of)s and id > %(after)s and (id > %(position)s or not passing)
order by id limit %(limit)s;

-- name: user_events_after
-- What was told of a user's exports after an event; up to a position only changes of state.
select id, export_id, user_id, batch_id, passing, data::text as data, data->>'status' as status
from events
where user_id = %(of)s and id > %(after)s and (id > %(position)s or not passing)
order by id limit %(limit)s;
