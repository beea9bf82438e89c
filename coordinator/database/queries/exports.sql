-- name: insert_exports
-- Accept exports, all of them or none. Each is a microsecond later than the one before, so that
-- whatever goes by time (history, queue, manifest) has them in the order of the request. What many
-- of them share, configurations and intakes, comes once and is named by its number.
insert into export_jobs (
    id, user_id, composition_id, composition_revision, config, name, intake, batch_id, reexport_of,
    priority, pool, start_s, end_s, shared_frames, webhook_id, created_at)
select e.id, %(user_id)s, e.composition_id, e.revision, c.document, e.name, i.document, e.batch_id,
    e.reexport_of, e.priority, e.pool, e.start_s, e.end_s, e.shared_frames, e.webhook_id,
    now() + (e.place - 1) * interval '1 microsecond'
from rows from (jsonb_to_recordset(%(exports)s::jsonb) as (
        id text, composition_id text, revision int, config int, name text, intake int,
        batch_id text, reexport_of text, priority int, pool text, start_s float8,
        end_s float8, shared_frames bool, webhook_id text))
    with ordinality as e (id, composition_id, revision, config, name, intake, batch_id,
        reexport_of, priority, pool, start_s, end_s, shared_frames, webhook_id, place)
join jsonb_array_elements(%(configs)s::jsonb) with ordinality as c (document, number)
    on c.number = e.config
join jsonb_array_elements(%(intakes)s::jsonb) with ordinality as i (document, number)
    on i.number = e.intake;

-- name: get_export
-- One export, of a user's or anybody's.
select * from export_jobs
where id = %(id)s and (%(user_id)s::text is null or user_id = %(user_id)s) and deleted_at is null;

-- name: get_exports
-- Several exports of a user's, in the order in which they were accepted.
select * from export_jobs
where id = any (%(ids)s) and user_id = %(user_id)s and deleted_at is null order by created_at, id;

-- name: list_exports
-- A page of a user's history, newest first. The ids are found in an index alone, so that a far
-- page of a long history reads few rows. Planned for its very values: which of the filters are
-- there decides which index is right. Where statuses are wanted, each is looked through by itself,
-- in the order of its index, however many exports stand otherwise: the filters are there twice.
select e.*
from exports_shown e
join (
    (select id, created_at from export_jobs
    where %(statuses)s::export_status[] is null and user_id = %(user_id)s and deleted_at is null
        and (%(name)s::text is null or strpos(lower(name), lower(%(name)s)) > 0)
        and (%(batch_id)s::text is null or batch_id = %(batch_id)s)
        and (%(composition_id)s::text is null or composition_id = %(composition_id)s)
        and (%(since)s::timestamptz is null or created_at >= %(since)s)
        and (%(until)s::timestamptz is null or created_at < %(until)s)
        and (%(before_at)s::timestamptz is null
            or (created_at, id) < (%(before_at)s, %(before_id)s::text))
    order by created_at desc, id desc limit %(limit)s offset %(offset)s)
    union all
    (select so.id, so.created_at
    from unnest(%(statuses)s::export_status[]) wanted (status)
    cross join lateral (
        select id, created_at from export_jobs
        where status = wanted.status and user_id = %(user_id)s and deleted_at is null
            and (%(name)s::text is null or strpos(lower(name), lower(%(name)s)) > 0)
            and (%(batch_id)s::text is null or batch_id = %(batch_id)s)
            and (%(composition_id)s::text is null or composition_id = %(composition_id)s)
            and (%(since)s::timestamptz is null or created_at >= %(since)s)
            and (%(until)s::timestamptz is null or created_at < %(until)s)
            and (%(before_at)s::timestamptz is null
                or (created_at, id) < (%(before_at)s, %(before_id)s::text))
        order by created_at desc, id desc limit %(limit)s + %(offset)s
    ) so
    order by so.created_at desc, so.id desc limit %(limit)s offset %(offset)s)
) page using (id)
order by page.created_at desc, page.id desc;

-- name: list_everybodys
-- A page of what everybody has, newest first: the newest of each status, which an index finds at
-- once however many have ended, and of these the newest.
select e.*
from exports_shown e
join (
    select p.id, p.created_at
    from unnest(%(statuses)s::export_status[]) as s (status)
    cross join lateral (
        select id, created_at from export_jobs
        where status = s.status and deleted_at is null
            and (%(user_id)s::text is null or user_id = %(user_id)s)
            and (%(before_at)s::timestamptz is null
                or (created_at, id) < (%(before_at)s, %(before_id)s::text))
        order by created_at desc, id desc limit %(limit)s
    ) p
    order by p.created_at desc, p.id desc limit %(limit)s
) page using (id)
order by page.created_at desc, page.id desc;

-- name: list_chunks
-- The pieces of an export, each with the attempt that counts: the one that was committed, else the
-- last one.
select w.chunk_index as index, w.start_frame, w.stop_frame, w.status,
    coalesce((w.report ->> 'cached')::boolean, false) as cached,
    (w.report ->> 'size_bytes')::bigint as size_bytes,
    a.number as attempts, a.worker, a.started_at, a.ended_at,
    case when w.status = 'done' then w.stop_frame - w.start_frame
        when w.status = 'running' then a.frames else 0 end as frames_done
from work_items w
left join lateral (
    select max(t.number) over () as number, t.worker, t.started_at, t.ended_at, t.frames
    from attempts t where t.item_id = w.id
    order by t.outcome is not distinct from 'committed' desc, t.number desc limit 1
) a on true
where w.export_id = %(id)s and w.kind = 'chunk'
order by w.chunk_index limit %(limit)s offset %(offset)s;

-- name: list_attempts
-- What was tried for an export, newest first.
select a.id as attempt_id, w.kind, w.chunk_index, a.number, a.node, a.worker, a.started_at,
    a.ended_at, a.outcome, a.error_kind, a.error_message,
    a.outcome is not null and coalesce(a.log, a.wall_s::text) is not null as has_log
from attempts a join work_items w on w.id = a.item_id
where w.export_id = %(id)s and (%(chunk)s::int is null or w.chunk_index = %(chunk)s)
order by a.id desc limit %(limit)s;
