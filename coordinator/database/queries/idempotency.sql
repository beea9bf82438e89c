-- name: begin
-- Take a key for a request; no row if it was taken before. Who takes it at the same time waits
-- here until the first one's transaction has ended.
insert into idempotency_keys (user_id, key, request_hash)
values (%(user_id)s, %(key)s, %(request_hash)s)
on conflict do nothing
returning key;

-- name: answered
-- What was answered to the request that has taken a key.
select request_hash, status, response from idempotency_keys
where user_id = %(user_id)s and key = %(key)s;

-- name: keep
-- What is answered to the request.
update idempotency_keys set status = %(status)s, response = %(response)s
where user_id = %(user_id)s and key = %(key)s;
