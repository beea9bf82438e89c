-- name: lock_export
-- Who makes one more link to an export waits for the others who do.
select id from export_jobs where id = %(export_id)s for no key update;

-- name: count_links
-- How many links to an export are valid.
select count(*) as count from links where export_id = %(export_id)s and expires_at > now();

-- name: insert_link
-- A new link; the token itself is never stored.
insert into links (id, export_id, token_hash, expires_at)
values (%(id)s, %(export_id)s, %(token_hash)s, now() + make_interval(secs => %(valid_s)s))
returning *;

-- name: find_link
-- The export that a link leads to, and how long it does so yet: less than nothing where it has
-- expired.
select e.id, e.name, e.status, e.config, e.sha256, e.download_url, e.expired_at,
    extract(epoch from l.expires_at - now())::double precision as left_s
from links l join export_jobs e on e.id = l.export_id
where l.token_hash = %(token_hash)s and e.deleted_at is null;

-- name: list_links
-- A page of the links to an export, newest first; also those that expired a short while ago.
select * from links where export_id = %(export_id)s
order by created_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: delete_link
-- A link to an export of a user's leads nowhere any more.
delete from links l using export_jobs e
where l.id = %(id)s and l.export_id = %(export_id)s
    and e.id = l.export_id and e.user_id = %(user_id)s and e.deleted_at is null;
