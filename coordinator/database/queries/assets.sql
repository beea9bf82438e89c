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

-- name: list_assets
-- A page of what a user has uploaded, newest first.
select * from assets
where user_id = %(user_id)s and (%(kind)s::asset_kind is null or kind = %(kind)s)
order by created_at desc, id desc limit %(limit)s offset %(offset)s;
