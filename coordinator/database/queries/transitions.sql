-- name: lock_export
-- Every change of an export begins here, so that changes of one export come one after the other.
select * from export_jobs where id = %(id)s for update;

-- name: lock_exports
-- The same for several of them, always in the same order; without what is long.
select id, status from export_jobs where id = any (%(ids)s)
order by id for update;

-- name: lock_exports_of
-- The same for those that attempts are about.
select id from export_jobs where id in (
    select w.export_id from attempts a join work_items w on w.id = a.item_id
    where a.id = any (%(attempts)s))
order by id for update;

-- name: lock_batch
-- The exports of a batch that stand in certain ways, all at once; always in the same order.
select * from export_jobs
where batch_id = %(batch_id)s and user_id = %(user_id)s and deleted_at is null
    and status = any (%(statuses)s::export_status[])
order by id for update;

-- name: tell_exports
-- Tell clients; last in the transaction.
select tell_export(id, %(passing)s) from unnest(%(ids)s::text[]) as id;

-- name: begin_exports
-- Their first work items were given to workers.
update export_jobs set status = %(status)s, stage = 'preparing', reason = null,
    started_at = coalesce(started_at, now()), updated_at = now()
where id = any (%(ids)s);

-- name: plan_export
-- What is to be rendered is known.
update export_jobs set stage = %(stage)s, engine = %(engine)s, plan = %(plan)s,
    frames = %(frames)s, chunks = %(chunks)s, warnings = %(warnings)s,
    progress = greatest(progress, %(progress)s), updated_at = now()
where id = %(id)s;

-- name: survey_export
-- What had to be found out before the chunks is known.
update export_jobs set stage = 'rendering', plan = %(plan)s, updated_at = now()
where id = %(id)s;

-- name: stitch_export
-- All segments and the sound stand.
update export_jobs set status = %(status)s, stage = 'stitching', reason = null,
    progress = greatest(progress, %(progress)s), eta_s = null, updated_at = now()
where id = %(id)s;

-- name: render_again
-- Something that stood does not stand any more.
update export_jobs set status = %(status)s, stage = 'rendering', reason = %(reason)s,
    updated_at = now()
where id = %(id)s;

-- name: rerender_export
-- Its segments are too large, or not as large as was asked for: all chunks are made anew.
update export_jobs set status = %(status)s, stage = 'rendering', reason = %(reason)s,
    plan = %(plan)s, renderings = renderings + 1, frames_committed = 0, frames_done = 0,
    chunks_done = 0, chunks_cached = 0, fps = null, eta_s = null, updated_at = now()
where id = %(id)s;

-- name: complete_export
-- The verified video is stored.
update export_jobs set status = %(status)s, stage = 'completed', reason = null, progress = 1,
    frames_done = frames, eta_s = 0, file_size = %(size_bytes)s, duration_seconds = %(duration_s)s,
    sha256 = %(sha256)s, download_url = %(key)s, poster_key = %(poster_key)s,
    completed_at = now(), updated_at = now(),
    expires_at = now() + make_interval(secs => %(retention_s)s), expired_at = null,
    (audio_lufs, audio_peak) = (
        select (report ->> 'integrated_lufs')::float8, (report ->> 'true_peak_dbtp')::float8
        from work_items where export_id = %(id)s and kind = 'audio')
where id = %(id)s;

-- name: fail_export
-- A work item failed for good.
update export_jobs set status = %(status)s, stage = 'failed', reason = %(reason)s,
    error_message = %(message)s, error_log = %(log)s, fps = null, eta_s = null,
    completed_at = now(), updated_at = now(), cleaned_at = null
where id = %(id)s;

-- name: cancel_exports
-- A user or an operator wants no more of them.
update export_jobs set status = %(status)s, stage = 'cancelled', reason = %(reason)s,
    fps = null, eta_s = null, completed_at = now(), updated_at = now(), cleaned_at = null
where id = any (%(ids)s);

-- name: retry_exports
-- From the beginning; what was made before is found again.
update export_jobs set status = %(status)s, stage = 'queued', reason = %(reason)s, progress = 0,
    error_message = null, error_log = null, warnings = '[]', engine = null, plan = null,
    frames_done = 0, frames_committed = 0, chunks_done = 0, chunks_cached = 0, frames = null,
    chunks = null, renderings = 1, fps = null, eta_s = null, started_at = null, completed_at = null,
    cleaned_at = null, archived_at = null, updated_at = now()
where id = any (%(ids)s);

-- name: delete_export
-- Its owner wants it no more: the janitor removes what is left of it.
update export_jobs set deleted_at = now(), updated_at = now() where id = %(id)s;

-- name: replan_export
-- The workers draw otherwise than when it was planned.
update export_jobs set status = %(status)s, stage = 'preparing', reason = %(reason)s,
    engine = null, plan = null, frames_committed = 0, frames_done = 0, chunks_done = 0,
    chunks_cached = 0, frames = null, chunks = null, renderings = 1, fps = null, eta_s = null,
    updated_at = now()
where id = %(id)s;

-- name: drop_items
-- Forget the work of exports; its attempts are forgotten with it.
delete from work_items where export_id = any (%(ids)s);

-- name: cancel_items
-- Nothing more is done for exports.
update work_items set status = 'cancelled', ended_at = now()
where export_id = any (%(ids)s) and status in ('ready', 'running');

-- name: prioritise_export
-- Earlier or later than others.
update export_jobs set priority = %(priority)s, updated_at = now() where id = %(id)s;

-- name: prioritise_items
-- The same for the work that it has left.
update work_items set priority = %(priority)s
where export_id = %(id)s and status in ('ready', 'running');

-- name: pause_export
-- An operator holds it.
update export_jobs set paused_at = now(), reason = %(reason)s, updated_at = now()
where id = %(id)s;

-- name: resume_export
-- An operator lets it go on.
update export_jobs set paused_at = null, reason = %(reason)s, updated_at = now()
where id = %(id)s;

-- name: hold_items
-- Nothing more of an export begins, or it may again; what comes into being is held as it is.
update work_items set held = %(held)s
where export_id = %(id)s and held <> %(held)s;

-- name: wake_dispatcher
-- Have the dispatcher look what it may begin.
select pg_notify('midifarm_work', '');

-- name: queue_intakes
-- The first work item of each export, and clients are told of it.
with queued as (
    insert into work_items (kind, export_id, user_id, priority, queued_at, position, held, pool,
        spec)
    select 'intake', id, user_id, priority, created_at, 0, paused_at is not null, pool, intake
    from export_jobs where id = any (%(ids)s) order by created_at
)
select tell_export(id, false) from unnest(%(ids)s::text[]) as id;

-- name: insert_probe
-- A look at an uploaded file.
insert into work_items (kind, asset_id, user_id, spec)
values ('probe', %(asset_id)s, %(user_id)s, %(spec)s)
on conflict on constraint work_items_once do nothing;

-- name: reuse_artifacts
-- Whatever stands already need not be made: the items of an export that it does.
-- Artifacts are locked in the order of their keys, here and by the janitor.
with standing as (
    select a.content_key from artifacts a join work_items w on w.content_key = a.content_key
    where w.export_id = %(id)s and w.status = 'ready'
    order by a.content_key for update of a
), found as (
    update artifacts a set used_at = now() from standing s, work_items w
    where a.content_key = s.content_key and w.content_key = s.content_key
        and w.export_id = %(id)s and w.status = 'ready'
    returning w.id, a.report
)
update work_items w set status = 'done', ended_at = now(),
    report = found.report
        || case when w.kind in ('audio', 'chunk') then '{"cached": true}'::jsonb else '{}' end
        || case when w.kind = 'chunk' then jsonb_build_object('index', w.chunk_index) else '{}' end
from found where w.id = found.id
returning w.kind, w.report, w.stop_frame - w.start_frame as frames;

-- name: use_artifact
-- What stands under a content key, and is of use now.
update artifacts set used_at = now() where content_key = %(key)s returning report;

-- name: artifact_of
-- Whether an object holds what something refers to.
select content_key from artifacts where object_key = %(key)s;

-- name: lock_item
-- One work item.
select * from work_items where id = %(id)s for update;

-- name: item_of_attempt
-- Which work item, of which export, an attempt is about.
select a.id as attempt_id, a.outcome, w.id as item_id, w.export_id
from attempts a join work_items w on w.id = a.item_id where a.id = %(id)s;

-- name: claim_items
-- Give work items to this leader, each with its first or its next try, if it leads and they still
-- wait.
with claimed as (
    update work_items set status = 'running'
    where id = any (%(ids)s) and status = 'ready' and not held
        -- Locked: who begins to lead, or pauses the farm, waits for a claim that is under way.
        and exists (
            select from dispatcher where epoch = %(epoch)s and paused_at is null for share)
    returning id
)
insert into attempts (item_id, number, epoch)
select c.id, (select coalesce(max(number), 0) + 1 from attempts where item_id = c.id), %(epoch)s
from claimed c
returning id, item_id;

-- name: insert_attempt
-- One numbered try.
insert into attempts (item_id, number, epoch)
select w.id, (select coalesce(max(number), 0) + 1 from attempts where item_id = w.id), %(epoch)s
from work_items w
where w.id = %(item_id)s and w.status = 'running' and not w.held
    and exists (
        select from dispatcher where epoch = %(epoch)s and paused_at is null for share)
returning id;

-- name: end_attempt
-- How a try ended; once.
update attempts set outcome = %(outcome)s, ended_at = now(),
    worker = coalesce(%(worker)s, worker), node = coalesce(%(node)s, node),
    wall_s = coalesce(%(wall_s)s, wall_s), stored_bytes = %(stored_bytes)s,
    error_kind = %(error_kind)s, error_message = %(error_message)s, log = %(log)s
where id = %(id)s and outcome is null
returning id;

-- name: attempts_under_way
-- Tries of an item that have not ended.
select count(*) as count from attempts where item_id = %(item_id)s and outcome is null;

-- name: commit_chunks
-- Keep what was made of chunks whose attempts are under way: of several of one chunk, or of the same
-- content, the first. Whatever is not told here is to be handed in by itself.
with told as (
    select * from unnest(%(ids)s::bigint[], %(reports)s::text[]::jsonb[], %(workers)s::text[],
        %(nodes)s::text[], %(walls_s)s::float8[]) as t (attempt_id, report, worker, node, wall_s)
), wanted as (
    select distinct on (w.id) t.*, w.id as item_id, w.content_key
    from told t
    join attempts a on a.id = t.attempt_id
    join work_items w on w.id = a.item_id
    where a.outcome is null and w.status = 'running' and w.kind = 'chunk'
    order by w.id, t.attempt_id
), first as (
    select distinct on (content_key) * from wanted order by content_key, attempt_id
), made as (
    insert into artifacts (content_key, object_key, size_bytes, sha256, report)
    select content_key, report ->> 'key', (report ->> 'size_bytes')::bigint, report ->> 'sha256',
        report
    from first order by content_key
    on conflict (content_key) do update set used_at = now()
    returning content_key, object_key, report
), ended as (
    update attempts a set outcome = 'committed', ended_at = now(),
        worker = coalesce(f.worker, a.worker), node = coalesce(f.node, a.node),
        wall_s = coalesce(f.wall_s, a.wall_s), stored_bytes = case m.object_key
            when f.report ->> 'key' then (f.report ->> 'size_bytes')::bigint else 0 end
    from first f join made m on m.content_key = f.content_key where a.id = f.attempt_id
), done as (
    update work_items w set status = 'done', ended_at = now(),
        report = m.report || jsonb_build_object('index', w.chunk_index)
    from first f join made m on m.content_key = f.content_key
    where w.id = f.item_id
    returning w.id, w.export_id, w.stop_frame - w.start_frame as frames
)
select f.attempt_id, d.export_id, d.frames, m.object_key <> f.report ->> 'key' as superseded
from first f
join made m on m.content_key = f.content_key
join done d on d.id = f.item_id;

-- name: insert_artifact
-- Keep what was made, unless somebody was faster.
insert into artifacts (content_key, object_key, size_bytes, sha256, report)
values (%(content_key)s, %(object_key)s, %(size_bytes)s, %(sha256)s, %(report)s)
on conflict (content_key) do update set used_at = now()
returning object_key, report, size_bytes, sha256;

-- name: finish_item
-- A result was accepted.
update work_items set status = 'done', report = %(report)s, ended_at = now()
where id = %(id)s;

-- name: release_item
-- To be tried again, not before its time.
update work_items set status = 'ready', suspect = %(suspect)s, transient = %(transient)s,
    not_before = now() + make_interval(secs => %(wait_s)s)
where id = %(id)s;

-- name: postpone_item
-- Not before a while.
update work_items set not_before = now() + make_interval(secs => %(wait_s)s)
where id = %(id)s and status = 'ready';

-- name: count_failure
-- It failed while another try goes on.
update work_items set suspect = %(suspect)s, transient = %(transient)s where id = %(id)s;

-- name: give_up_item
-- Not to be tried again.
update work_items set status = 'failed', suspect = %(suspect)s, transient = %(transient)s,
    ended_at = now()
where id = %(id)s;

-- name: remake_items
-- The items whose results were in objects that are lost or damaged.
update work_items set status = 'ready', report = null, ended_at = null, transient = transient + 1,
    not_before = now()
where export_id = %(export_id)s and status = 'done' and report ->> 'key' = any (%(keys)s)
    and transient + 1 < %(limit)s
returning id, kind, stop_frame - start_frame as frames, transient;

-- name: lose_results
-- The attempts whose results do not stand any more.
update attempts set outcome = 'lost' where item_id = any (%(item_ids)s) and outcome = 'committed';

-- name: drop_artifacts
-- Objects that do not stand any more.
delete from artifacts where object_key = any (%(keys)s);

-- name: lose_attempts
-- Tries of leaders that are gone; nobody will hear of them.
update attempts set outcome = 'lost', ended_at = now()
where outcome is null and not (id = any (%(keep)s))
returning id, item_id;

-- name: free_items
-- Items that nobody works at any more.
update work_items w set status = 'ready', not_before = now()
where status = 'running'
    and not exists (select from attempts a where a.item_id = w.id and a.outcome is null);

-- name: content_of_items
-- What items are, and what determines their results.
select id, kind, content_key from work_items where id = any (%(ids)s);

-- name: other_engines
-- Exports under way that were planned for none of these engines of their pools. Those of this
-- revision of midifarm wait for their engine where their pool has no other one.
select e.id, e.engine from export_jobs e
where e.status in ('rendering', 'uploading') and e.engine is not null
    and not exists (
        select from unnest(%(pools)s::text[], %(engines)s::text[]) as known (pool, engine)
        where known.pool = e.pool and known.engine = e.engine)
    and (e.pool = any (%(served)s::text[]) or not starts_with(e.engine, %(own)s));

-- name: insert_preview
-- A preview that somebody waits for.
insert into work_items (kind, preview_id, user_id, spec, content_key)
values ('preview', %(preview_id)s, %(user_id)s, %(spec)s, %(key)s);
