-- name: events_by_ids
-- Events just told of, in the order of their ids.
select id, export_id, passing, data::text as data, data->>'status' as status
from events where id = any(%(ids)s) order by id;

-- name: events_after
-- What was told of an export after an event.
select id, export_id, passing, data::text as data, data->>'status' as status
from events where export_id = %(export_id)s and id > %(after)s order by id limit %(limit)s;

-- name: latest_event
-- What was told of an export last.
select id, export_id, passing, data::text as data, data->>'status' as status
from events where export_id = %(export_id)s order by id desc limit 1;
