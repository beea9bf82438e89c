-- name: doomed_objects
-- Objects whose last asset was deleted.
select object_key from doomed_objects order by since limit 100;

-- name: lock_doomed
-- Nobody stores the same bytes meanwhile.
select pg_advisory_xact_lock(hashtextextended(split_part(%(key)s, '/', 3), 0));

-- name: doomed_use
-- Who has the same bytes; asked after the lock, to see what whoever held it has done.
select id from assets where sha256 = split_part(%(key)s, '/', 3) limit 1;

-- name: forget_doomed
-- An object is gone, or of use again.
delete from doomed_objects where object_key = %(key)s;

-- name: exports_to_delete
-- Exports that their owners have deleted, and that nobody works at any more.
select e.id from export_jobs e
where e.deleted_at is not null
    and not exists (
        select from attempts a join work_items w on w.id = a.item_id
        where w.export_id = e.id and a.outcome is null)
order by e.deleted_at limit 100;

-- name: release_video
-- The video of a deleted export, unless another export has the same.
delete from artifacts where content_key in (
    select a.content_key from artifacts a
    join export_jobs e on e.download_url = a.object_key
    where e.id = %(id)s and not exists (
        select from export_jobs other
        where other.download_url = a.object_key and other.id <> %(id)s)
    order by a.content_key for update of a)
returning object_key, report ->> 'poster_key' as poster_key;

-- name: attempts_of
-- What was tried for an export, as far as it is not forgotten.
select a.id from attempts a join work_items w on w.id = a.item_id where w.export_id = %(id)s;

-- name: delete_export
-- An export is forgotten, with its work and its events.
delete from export_jobs where id = %(id)s and deleted_at is not null;

-- name: exports_to_clean
-- Cancelled exports that nobody works at any more, and failed ones that were left alone for long.
-- Each status by itself: failed ones that are too young may be many, and are not looked at.
select e.id, e.status from (
    select id, status from export_jobs where status = 'cancelled' and cleaned_at is null
    union all
    select id, status from export_jobs
    where status = 'failed' and cleaned_at is null
        and updated_at < now() - make_interval(secs => %(keep_s)s)
) e
where not exists (
    select from attempts a join work_items w on w.id = a.item_id
    where w.export_id = e.id and a.outcome is null)
limit 100;

-- name: release_artifacts
-- What an export made and nobody else has a use for.
delete from artifacts where content_key in (
    select a.content_key from artifacts a join work_items w on w.content_key = a.content_key
    where w.export_id = %(id)s
        and not exists (
            select from work_items other join export_jobs e on e.id = other.export_id
            where other.content_key = a.content_key and other.export_id <> %(id)s
                and e.cleaned_at is null
                and e.status <> 'cancelled')
        and not exists (
            select from export_jobs e where e.download_url = a.object_key and e.id <> %(id)s)
    order by a.content_key for update of a)
returning object_key, report ->> 'poster_key' as poster_key;

-- name: mark_cleaned
-- Nothing of an export lies about any more.
update export_jobs set cleaned_at = now()
where id = %(id)s and status in ('failed', 'cancelled');

-- name: expire_exports
-- Finished videos that were kept for as long as promised.
update export_jobs set expired_at = now(), download_url = null, poster_key = null,
    updated_at = now(),
    reason = 'The video has expired; a re-export makes it again.'
where id in (
    select id from export_jobs
    where expired_at is null and expires_at < now() and status = 'completed'
    order by expires_at limit 100 for update skip locked)
returning id;

-- name: drop_old_artifacts
-- What nothing under way needs, that was not used for long; videos as long as they can be had.
-- What is still referred to counts as used, so that each is looked at once in a while, not always.
with old as materialized (
    select content_key, object_key from artifacts
    where used_at < now() - make_interval(secs => %(keep_s)s)
    order by used_at limit 500 for update skip locked
), judged as (
    select o.content_key,
        exists (select from export_jobs e where e.download_url = o.object_key)
        or exists (select from previews p where p.object_key = o.object_key)
        or exists (
            select from work_items w join export_jobs e on e.id = w.export_id
            where w.content_key = o.content_key
                and e.status in ('queued', 'rendering', 'uploading')) as is_needed
    from old o
), kept as (
    update artifacts a set used_at = now() from judged j
    where a.content_key = j.content_key and j.is_needed
), dropped as (
    delete from artifacts a using judged j
    where a.content_key = j.content_key and not j.is_needed
    returning a.content_key, a.object_key, a.report ->> 'poster_key' as poster_key
)
select d.object_key, d.poster_key from old left join dropped d using (content_key);

-- name: drop_old_items
-- The work of exports that ended long ago; their history stays.
with old as (
    select id from export_jobs
    where completed_at < now() - make_interval(secs => %(keep_s)s) and archived_at is null
        -- What a failed or cancelled one has made is found by its work items.
        and (status = 'completed' or cleaned_at is not null)
    order by completed_at limit 200 for update skip locked
), dropped as (
    delete from work_items w using old where w.export_id = old.id
)
update export_jobs e set archived_at = now() from old where e.id = old.id
returning e.id;

-- name: drop_old_events
-- Progress of long ago; changes of state stay.
delete from events where id in (
    select id from events
    where passing and created_at < now() - make_interval(secs => %(keep_s)s) limit 20000);

-- name: drop_old_deliveries
-- What webhooks were told long ago, with its tries.
delete from deliveries where id in (
    select id from deliveries
    where ended_at < now() - make_interval(secs => %(keep_s)s) limit 5000);

-- name: known_objects
-- Those of the given objects that something refers to.
select object_key from artifacts where object_key = any (%(keys)s)
union
select report ->> 'poster_key' from artifacts where report ->> 'poster_key' = any (%(keys)s)
union
select download_url from export_jobs where download_url = any (%(keys)s)
union
select object_key from previews where object_key = any (%(keys)s);

-- name: drop_old_answers
-- Answers that nobody asks for again.
delete from idempotency_keys where created_at < now() - make_interval(secs => %(keep_s)s);

-- name: drop_old_links
-- Links that lead nowhere since long ago.
delete from links where expires_at < now() - make_interval(secs => %(keep_s)s);

-- name: drop_old_sessions
-- Sessions of browsers that ended by themselves long ago.
delete from api_keys
where is_session and expires_at < now() - make_interval(secs => %(keep_s)s);

-- name: expire_previews
-- Previews that were kept for as long as promised; whoever makes one makes it for nobody now.
delete from previews where id in (
    select id from previews where expires_at < now() order by expires_at limit 500
    for update skip locked);

-- name: drop_old_previews
-- What was made of previews that nobody can look at any more.
delete from artifacts where content_key in (
    select a.content_key from artifacts a
    where a.content_key like 'previews/%%'
        and a.used_at < now() - make_interval(secs => %(keep_s)s)
        and not exists (select from previews p where p.object_key = a.object_key)
    order by a.content_key limit 500 for update of a skip locked)
returning object_key;

-- name: exports_sharing
-- Whether frames may be of use to another export of their batch.
select 1 from export_jobs
where shared_frames and status in ('queued', 'rendering', 'uploading') limit 1;
