-- name: lock_templates
-- Whoever keeps one more of a user's waits for the others who do.
select pg_advisory_xact_lock(hashtext('midifarm templates ' || %(user_id)s));

-- name: count_templates
-- How many templates a user keeps.
select count(*) as count from templates where user_id = %(user_id)s and deleted_at is null;

-- name: insert_template
-- A new template; its first version follows.
insert into templates (id, user_id) values (%(id)s, %(user_id)s);

-- name: insert_version
-- What a template is from now on.
insert into template_versions (template_id, version, document)
values (%(id)s, %(version)s, %(document)s);

-- name: lock_template
-- A template that is about to change.
select * from templates
where id = %(id)s and user_id = %(user_id)s and deleted_at is null for update;

-- name: revise_template
-- A template has a newer version.
update templates set version = %(version)s, updated_at = now() where id = %(id)s;

-- name: get_template
-- A template of a user's in one of its versions, the newest where none is named.
select t.id, t.version as newest_version, t.created_at, t.updated_at, v.version, v.document
from templates t
join template_versions v on v.template_id = t.id
    and v.version = coalesce(%(version)s::int, t.version)
where t.id = %(id)s and t.user_id = %(user_id)s and t.deleted_at is null;

-- name: list_templates
-- A page of a user's templates in their newest versions, the last changed first.
select t.id, t.version as newest_version, t.created_at, t.updated_at, v.version, v.document
from templates t
join template_versions v on v.template_id = t.id and v.version = t.version
where t.user_id = %(user_id)s and t.deleted_at is null
order by t.updated_at desc, t.id desc limit %(limit)s offset %(offset)s;

-- name: delete_template
-- A template is listed no more; exports keep what they were made with.
update templates set deleted_at = now()
where id = %(id)s and user_id = %(user_id)s and deleted_at is null;
