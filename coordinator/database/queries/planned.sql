-- name: insert_survey
-- What must be found out before there are chunks.
insert into work_items (kind, export_id, user_id, priority, queued_at, position, held, pool,
    engine, spec, content_key)
select 'survey', id, user_id, priority, created_at, 1, paused_at is not null, pool,
    md5(engine)::uuid, %(spec)s, %(key)s
from export_jobs where id = %(id)s;

-- name: insert_audio
-- The sound of an export.
insert into work_items (kind, export_id, user_id, priority, queued_at, position, held, pool,
    spec, content_key)
select 'audio', id, user_id, priority, created_at, 2, paused_at is not null, pool,
    %(spec)s, %(key)s
from export_jobs where id = %(id)s;

-- name: insert_chunks
-- All chunks of an export.
insert into work_items (kind, export_id, user_id, priority, queued_at, position, held, pool,
    engine, chunk_index, start_frame, stop_frame, content_key)
select 'chunk', e.id, e.user_id, e.priority, e.created_at, 3 + c.index, e.paused_at is not null,
    e.pool, md5(e.engine)::uuid, c.index, c.start, c.stop, c.key
from export_jobs e,
    unnest(%(indexes)s::int[], %(starts)s::int[], %(stops)s::int[], %(keys)s::text[])
        as c (index, start, stop, key)
where e.id = %(id)s;

-- name: insert_stitch
-- The last work item of an export.
insert into work_items (kind, export_id, user_id, priority, queued_at, position, held, pool,
    spec, content_key)
select 'stitch', id, user_id, priority, created_at, 1000000, paused_at is not null, pool,
    %(spec)s, %(key)s
from export_jobs where id = %(id)s;

-- name: drop_chunks
-- Forget the chunks of an export, and their stitch; what they have made stays for a while.
delete from work_items where export_id = %(id)s and kind in ('chunk', 'stitch');

-- name: drop_stitch
-- The stitch of an export has to wait again.
delete from work_items where export_id = %(id)s and kind = 'stitch';

-- name: count_chunks
-- Chunks have been done, or are to be made again (negative).
update export_jobs set
    frames_committed = frames_committed + %(frames)s,
    frames_done = greatest(frames_done, frames_committed + %(frames)s),
    chunks_done = chunks_done + %(chunks)s,
    chunks_cached = greatest(0, least(chunks_cached + %(cached)s, chunks_done + %(chunks)s)),
    progress = greatest(progress, %(base)s + %(span)s
        * greatest(frames_done, frames_committed + %(frames)s) / frames),
    updated_at = now()
where id = %(id)s;

-- name: count_many_chunks
-- The same of several exports; those of which all chunks are done now.
with counted as (
    update export_jobs e set
        frames_committed = e.frames_committed + c.frames,
        frames_done = greatest(e.frames_done, e.frames_committed + c.frames),
        chunks_done = e.chunks_done + c.chunks,
        progress = greatest(e.progress, %(base)s + %(span)s
            * greatest(e.frames_done, e.frames_committed + c.frames) / e.frames),
        updated_at = now()
    from unnest(%(ids)s::text[], %(frames)s::int[], %(chunks)s::int[]) as c (id, frames, chunks)
    where e.id = c.id
    returning e.id, e.chunks_done >= e.chunks as is_whole
)
select id from counted where is_whole;

-- name: add_warnings
-- What its owner should know of the sound.
update export_jobs e set warnings = warnings || coalesce((
    select jsonb_agg(told) from jsonb_array_elements(%(warnings)s::jsonb) as told
    where not e.warnings @> jsonb_build_array(told)), '[]')
where id = %(id)s;

-- name: unfinished_items
-- How much of an export's work is left.
select count(*) as count from work_items
where export_id = %(id)s and status <> 'done';

-- name: item_reports
-- What the segments and the sound of an export are.
select kind, report from work_items
where export_id = %(id)s and kind in ('audio', 'chunk') order by position;
