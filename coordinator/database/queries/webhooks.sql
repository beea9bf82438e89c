-- name: lock_webhooks
-- Who makes one more of a user's waits for the others who do.
select pg_advisory_xact_lock(hashtext('midifarm webhooks ' || %(user_id)s));

-- name: count_webhooks
-- How many webhooks a user keeps, beside those of exports.
select count(*) as count from webhooks where user_id = %(user_id)s and is_general;

-- name: insert_webhook
-- A new webhook, told of everything of its user's that it wants.
insert into webhooks (id, user_id, name, url, secret, events)
values (%(id)s, %(user_id)s, %(name)s, %(url)s, %(secret)s, %(events)s)
returning *;

-- name: insert_webhook_of_exports
-- A new webhook that is told of those exports alone that name it; there is one for each address and
-- secret.
insert into webhooks (id, user_id, name, url, secret, is_general)
values (%(id)s, %(user_id)s, %(name)s, %(url)s, %(secret)s, false)
on conflict (user_id, url, secret) where not is_general do nothing
returning id;

-- name: webhook_of_exports
-- The webhook that exports name by its address and its secret, which stays until an export does so.
select id from webhooks
where user_id = %(user_id)s and url = %(url)s and secret = %(secret)s and not is_general
for key share;

-- name: get_webhook
-- A webhook of a user's.
select * from webhooks where id = %(id)s and user_id = %(user_id)s;

-- name: lock_webhook
-- The same, and it is about to change.
select * from webhooks where id = %(id)s and user_id = %(user_id)s for no key update;

-- name: list_webhooks
-- A page of a user's webhooks, the newest first: the general ones, or those of exports.
select * from webhooks where user_id = %(user_id)s and is_general = %(is_general)s
order by created_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: change_webhook
-- A webhook is different from now on.
update webhooks set name = %(name)s, url = %(url)s, events = %(events)s,
    is_enabled = %(is_enabled)s
where id = %(id)s
returning *;

-- name: rotate_webhook
-- A webhook has a new secret; the old one signs beside it for a while.
update webhooks set secret = %(secret)s, old_secret = secret,
    old_secret_until = now() + make_interval(secs => %(keep_s)s)
where id = %(id)s
returning *;

-- name: delete_webhook
-- A webhook is gone, and its deliveries with it; exports that name it tell nobody.
delete from webhooks where id = %(id)s and user_id = %(user_id)s;
