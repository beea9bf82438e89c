-- name: claim
-- The next deliveries for one process, which has them until its lease ends. The webhooks for which
-- something waits are found by hopping through the index, so that ten thousand deliveries to one
-- that hangs cost no more than a few; each webhook and each user has only so many under way.
with recursive waiting as (
    (select webhook_id from deliveries where status = 'pending' order by webhook_id limit 1)
    union all
    select (
        select d.webhook_id from deliveries d
        where d.status = 'pending' and d.webhook_id > w.webhook_id
        order by d.webhook_id limit 1)
    from waiting w where w.webhook_id is not null),
under_way as (
    select webhook_id, user_id from deliveries where leased_until > now()),
next_each as (
    select d.*, (select count(*) from under_way u where u.webhook_id = d.webhook_id)
        + row_number() over (partition by d.webhook_id order by d.next_at, d.id) as nth
    from waiting w cross join lateral (
        select id, webhook_id, user_id, next_at from deliveries
        where status = 'pending' and webhook_id = w.webhook_id and next_at <= now()
        order by next_at, id limit %(each)s) d),
next_users as (
    select n.id, n.next_at, (select count(*) from under_way u where u.user_id = n.user_id)
        + row_number() over (partition by n.user_id order by n.next_at, n.id) as nth
    from next_each n where n.nth <= %(each)s),
chosen as (
    select id from deliveries
    where status = 'pending' and next_at <= now() and id in (
        select id from next_users where nth <= %(per_user)s
        order by nth, next_at, id limit %(room)s)
    for update skip locked)
update deliveries d
set leased_until = now() + make_interval(secs => %(lease_s)s),
    next_at = now() + make_interval(secs => %(lease_s)s)
from chosen c, webhooks w
where d.id = c.id and w.id = d.webhook_id
returning d.id, d.webhook_id, d.event, d.data, d.created_at, d.failures, d.leased_until,
    extract(epoch from now() - d.queued_at)::float8 as waited_s,
    w.is_enabled, w.url, w.secret,
    case when w.old_secret_until > now() then w.old_secret end as old_secret;

-- name: lock_claims
-- One process claims at a time, so that what is under way is counted right.
select pg_advisory_xact_lock(hashtext('midifarm deliveries'));

-- name: next_due
-- Seconds until the next delivery that is not due yet; null where there is none.
select extract(epoch from min(next_at) - now())::float8 as wait_s from deliveries
where status = 'pending' and next_at > now();

-- name: end_try
-- What came of a try, unless its lease has ended or nobody wants to know any more.
with told as (
    update deliveries set
        status = %(status)s::delivery_status, tries = tries + 1,
        failures = failures + (%(error)s::text is not null)::int,
        next_at = now() + make_interval(secs => %(wait_s)s), leased_until = null,
        ended_at = case when %(status)s::delivery_status <> 'pending' then now() end
    where id = %(id)s and leased_until = %(lease)s
    returning id, tries)
insert into delivery_tries (delivery_id, number, at, took_s, http_status, error)
select id, tries, now() - make_interval(secs => %(took_s)s), %(took_s)s, %(http_status)s, %(error)s
from told;

-- name: release
-- A process that ends gives back what it has not finished.
with released as (
    update deliveries d set leased_until = null, next_at = now()
    from unnest(%(ids)s::text[], %(leases)s::timestamptz[]) as held (id, lease)
    where d.id = held.id and d.leased_until = held.lease
    returning d.id)
select pg_notify('midifarm_deliveries', '') where exists (select from released);

-- name: insert_ping
-- Something for a webhook to try itself with.
insert into deliveries (id, webhook_id, user_id, event, data)
values (%(id)s, %(webhook_id)s, %(user_id)s, 'ping',
    jsonb_build_object('webhook_id', %(webhook_id)s::text))
returning *;

-- name: get_delivery
-- A delivery to a webhook.
select * from deliveries where id = %(id)s and webhook_id = %(webhook_id)s;

-- name: list_deliveries
-- A page of what was, or is to be, told to a webhook, the newest first.
select * from deliveries
where webhook_id = %(webhook_id)s
    and (%(status)s::delivery_status is null or status = %(status)s::delivery_status)
    and (%(export_id)s::text is null or export_id = %(export_id)s)
order by created_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: tries_of
-- What came of the tries of some deliveries.
select * from delivery_tries where delivery_id = any (%(ids)s) order by delivery_id, number;

-- name: requeue
-- A delivery is tried again from the beginning, now; one that is under way goes on.
with queued as (
    update deliveries set status = 'pending', ended_at = null, failures = 0, queued_at = now(),
        next_at = now()
    where id = %(id)s and webhook_id = %(webhook_id)s and leased_until is null
    returning id)
select pg_notify('midifarm_deliveries', '') where exists (select from queued);

-- name: cancel_deliveries
-- What waits for a webhook that is told no more.
update deliveries set status = 'cancelled', ended_at = now(), leased_until = null
where webhook_id = %(webhook_id)s and status = 'pending';
