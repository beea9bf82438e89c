-- name: note
-- What an operator does, in the transaction that does it.
insert into audit_log (user_id, key_id, action, target, detail)
values (%(user_id)s, %(key_id)s, %(action)s, %(target)s, %(detail)s);

-- name: list_entries
-- What operators did before an entry, newest first.
select * from audit_log
where (%(before)s::bigint is null or id < %(before)s)
    and (%(target)s::text is null or target = %(target)s)
order by id desc limit %(limit)s;
