-- name: insert_key
-- Make a key for a user; the token itself is never stored. A session that is opened with another
-- depends on the key that that one was opened with.
insert into api_keys (id, user_id, name, token_hash, scope, expires_at, is_session, opened_with)
values (%(id)s, %(user_id)s, %(name)s, %(token_hash)s, %(scope)s, %(expires_at)s,
    %(is_session)s,
    (select coalesce(opened_with, id) from api_keys where id = %(opened_with)s))
returning *;

-- name: find_key
-- The key that a token belongs to, unless it or what it was opened with was revoked; and how long
-- it is valid yet.
select k.*,
    coalesce(k.expires_at <= now(), false) as is_expired,
    extract(epoch from k.expires_at - now())::double precision as left_s
from api_keys k left join api_keys parent on parent.id = k.opened_with
where k.token_hash = %(token_hash)s and k.revoked_at is null and parent.revoked_at is null;

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

-- name: end_session
-- A session is over; a key that is none stays.
delete from api_keys where id = %(id)s and is_session;
