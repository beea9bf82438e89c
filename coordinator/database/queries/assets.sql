-- name: insert_asset
-- Note an uploaded file; no row if the user has uploaded the same bytes before.
insert into assets (id, user_id, kind, name, sha256, size_bytes)
values (%(id)s, %(user_id)s, %(kind)s, %(name)s, %(sha256)s, %(size_bytes)s)
on conflict on constraint assets_once do nothing
returning *;

-- name: find_asset
-- What a user has uploaded with these bytes.
select * from assets where user_id = %(user_id)s and sha256 = %(sha256)s and kind = %(kind)s;

-- name: get_asset
-- One asset of a user's.
select * from assets where id = %(id)s and user_id = %(user_id)s;

-- name: get_assets
-- Several assets of a user's.
select * from assets where id = any(%(ids)s) and user_id = %(user_id)s;

-- name: hold_assets
-- The same, which nobody deletes as long as the transaction lasts.
select id from assets where id = any(%(ids)s) and user_id = %(user_id)s order by id for key share;

-- name: hold_assets_of
-- The same by the hashes of their bytes.
select sha256 from assets where sha256 = any(%(hashes)s) and user_id = %(user_id)s
order by id for key share;

-- name: list_assets
-- A page of what a user has uploaded, newest first.
select * from assets
where user_id = %(user_id)s and (%(kind)s::asset_kind is null or kind = %(kind)s)
    and (%(sha256)s::text is null or sha256 = %(sha256)s)
    and (%(before_at)s::timestamptz is null
        or (created_at, id) < (%(before_at)s, %(before_id)s::text))
order by created_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: lock_hash
-- Whoever deletes the last asset of some bytes waits for who has just stored them.
select pg_advisory_xact_lock_shared(hashtextextended(%(sha256)s, 0));

-- name: lock_asset
-- An asset that is about to be deleted: nothing is made from it meanwhile.
select * from assets where id = %(id)s and user_id = %(user_id)s for update;

-- name: uses
-- What names an asset now: compositions and templates by what they are today, and exports that have
-- not ended, which are made from objects.
select 'composition' as kind, c.id, c.name from revision_assets r
join compositions c on c.id = r.composition_id and c.revision = r.revision
    and c.deleted_at is null
where r.asset_id = %(id)s
union all
select 'template', t.id, v.document ->> 'name' from template_assets n
join templates t on t.id = n.template_id and t.version = n.version and t.deleted_at is null
join template_versions v on v.template_id = t.id and v.version = t.version
where n.asset_id = %(id)s
union all
select 'export', e.id, e.name from export_jobs e
where e.user_id = %(user_id)s and e.deleted_at is null
    and e.status in ('queued', 'rendering', 'uploading')
    and e.intake -> 'names' ? %(object_key)s
order by kind, id limit %(limit)s;

-- name: delete_asset
-- An asset is there no more.
delete from assets where id = %(id)s;

-- name: doom_object
-- Its bytes, unless somebody else has the same.
insert into doomed_objects (object_key) select %(object_key)s
where not exists (select from assets where sha256 = %(sha256)s)
on conflict do nothing;
