-- name: insert_key
-- Make a key for a user; the token itself is never stored.
insert into api_keys (id, user_id, name, token_hash, scope, expires_at)
values (%(id)s, %(user_id)s, %(name)s, %(token_hash)s, %(scope)s, %(expires_at)s)
returning *;

-- name: find_key
-- The key that a token belongs to, unless it was revoked; and how long it is valid yet.
select *,
    coalesce(expires_at <= now(), false) as is_expired,
    extract(epoch from expires_at - now())::double precision as left_s
from api_keys where token_hash = %(token_hash)s and revoked_at is null;

-- name: note_use
-- When a key was last used, to the minute.
update api_keys set last_used_at = now()
where id = %(id)s and (last_used_at is null or last_used_at < now() - interval '1 minute');

-- name: list_keys
-- The keys of a user, or of everybody, newest first; those revoked too.
select * from api_keys
where %(user_id)s::text is null or user_id = %(user_id)s
order by created_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: revoke_key
-- A key is valid no more; the time of the first revocation stays. Without a user it may be
-- anybody's.
update api_keys set revoked_at = coalesce(revoked_at, now())
where id = %(id)s and (%(user_id)s::text is null or user_id = %(user_id)s)
returning *;
