-- name: judge_asset
-- What a worker found in an uploaded file.
update assets set status = %(status)s, facts = %(facts)s, reason = %(reason)s where id = %(id)s;

-- name: show_preview
-- A preview can be seen.
update previews set status = 'ready', object_key = %(key)s, media_type = %(media_type)s,
    width = %(width)s, height = %(height)s, size_bytes = %(size_bytes)s, sha256 = %(sha256)s,
    warnings = %(warnings)s, ended_at = now()
where id = %(id)s;

-- name: fail_preview
-- A preview cannot be made.
update previews set status = 'failed', reason = %(reason)s, ended_at = now() where id = %(id)s;
