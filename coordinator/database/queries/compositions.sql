-- name: insert_composition
-- A new composition; its first revision follows.
insert into compositions (id, user_id, name) values (%(id)s, %(user_id)s, %(name)s);

-- name: insert_revision
-- What a composition is from now on.
insert into composition_revisions (composition_id, revision, document)
values (%(id)s, %(revision)s, %(document)s);

-- name: lock_composition
-- A composition that is about to change.
select * from compositions
where id = %(id)s and user_id = %(user_id)s and deleted_at is null for update;

-- name: revise_composition
-- A composition has a newer revision.
update compositions set name = %(name)s, revision = %(revision)s, updated_at = now()
where id = %(id)s;

-- name: get_composition
-- A composition of a user's with one of its revisions, the newest where none is named.
select c.id, c.user_id, c.name, c.revision as newest_revision, c.created_at, c.updated_at,
    r.revision, r.document
from compositions c
join composition_revisions r on r.composition_id = c.id
    and r.revision = coalesce(%(revision)s::int, c.revision)
where c.id = %(id)s and c.user_id = %(user_id)s and c.deleted_at is null;

-- name: get_revisions
-- Several compositions of a user's, each in the revision that is asked for.
select c.id, a.revision as asked, r.revision, r.document
from unnest(%(ids)s::text[], %(revisions)s::int[]) as a (id, revision)
join compositions c on c.id = a.id and c.user_id = %(user_id)s and c.deleted_at is null
join composition_revisions r on r.composition_id = c.id
    and r.revision = coalesce(a.revision, c.revision);

-- name: list_compositions
-- A page of a user's compositions, the last changed first.
select id, name, revision, created_at, updated_at from compositions
where user_id = %(user_id)s and deleted_at is null
order by updated_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: delete_composition
-- A composition is listed no more; exports that were made from it keep their revisions.
update compositions set deleted_at = now()
where id = %(id)s and user_id = %(user_id)s and deleted_at is null;
