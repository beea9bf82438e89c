-- name: insert_export
-- Accept an export.
insert into export_jobs (
    id, user_id, composition_id, composition_revision, config, name, intake, batch_id, reexport_of,
    priority, start_s, end_s, shared_frames)
values (
    %(id)s, %(user_id)s, %(composition_id)s, %(composition_revision)s, %(config)s, %(name)s,
    %(intake)s, %(batch_id)s, %(reexport_of)s, %(priority)s, %(start_s)s, %(end_s)s,
    %(shared_frames)s);

-- name: insert_batch
-- Note that exports were submitted together.
insert into batches (id, user_id, name) values (%(id)s, %(user_id)s, %(name)s);

-- name: get_export
-- One export of a user's.
select * from export_jobs where id = %(id)s and user_id = %(user_id)s;

-- name: list_exports
-- A page of a user's history, newest first. The ids are found in the index alone, so that a far
-- page of a long history reads few rows.
select e.* from export_jobs e
join (
    select id, created_at from export_jobs
    where user_id = %(user_id)s
    order by created_at desc, id desc limit %(limit)s offset %(offset)s
) page using (id)
order by page.created_at desc, page.id desc;

-- name: list_exports_of_status
-- The same of one status.
select e.* from export_jobs e
join (
    select id, created_at from export_jobs
    where user_id = %(user_id)s and status = %(status)s
    order by created_at desc, id desc limit %(limit)s offset %(offset)s
) page using (id)
order by page.created_at desc, page.id desc;

-- name: list_attempts
-- What was tried for an export, newest first.
select w.kind, w.chunk_index, a.number, a.worker, a.started_at, a.ended_at, a.outcome,
    a.error_kind, a.error_message
from attempts a join work_items w on w.id = a.item_id
where w.export_id = %(id)s order by a.id desc limit %(limit)s;
