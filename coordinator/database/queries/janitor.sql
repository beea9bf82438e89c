-- name: exports_to_clean
-- Cancelled exports that nobody works at any more, and failed ones that were left alone for long.
select e.id, e.status from export_jobs e
where e.cleaned_at is null
    and (e.status = 'cancelled'
        or (e.status = 'failed' and e.updated_at < now() - make_interval(secs => %(keep_s)s)))
    and not exists (
        select from attempts a join work_items w on w.id = a.item_id
        where w.export_id = e.id and a.outcome is null)
order by e.updated_at limit 100;

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
delete from artifacts where content_key in (
    select a.content_key from artifacts a
    where a.used_at < now() - make_interval(secs => %(keep_s)s)
        and not exists (select from export_jobs e where e.download_url = a.object_key)
        and not exists (select from previews p where p.object_key = a.object_key)
        and not exists (
            select from work_items w join export_jobs e on e.id = w.export_id
            where w.content_key = a.content_key
                and e.status in ('queued', 'rendering', 'uploading'))
    order by a.content_key limit 500 for update of a skip locked)
returning object_key, report ->> 'poster_key' as poster_key;

-- name: drop_old_items
-- The work of exports that ended long ago; their history stays.
delete from work_items where id in (
    select w.id from work_items w join export_jobs e on e.id = w.export_id
    where e.status in ('completed', 'failed', 'cancelled')
        and e.completed_at < now() - make_interval(secs => %(keep_s)s)
    limit 5000);

-- name: drop_old_events
-- Progress of long ago; changes of state stay.
delete from events where id in (
    select id from events
    where passing and created_at < now() - make_interval(secs => %(keep_s)s) limit 20000);

-- name: known_objects
-- Those of the given objects that something refers to.
select object_key from artifacts where object_key = any (%(keys)s)
union
select report ->> 'poster_key' from artifacts where report ->> 'poster_key' = any (%(keys)s)
union
select download_url from export_jobs where download_url = any (%(keys)s)
union
select object_key from previews where object_key = any (%(keys)s);

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
