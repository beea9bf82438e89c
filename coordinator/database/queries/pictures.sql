-- name: find_preview
-- The same preview of a user's, if it stands or is being made and can be had for a while yet.
select * from previews
where user_id = %(user_id)s and spec ->> 'key' = %(key)s and status <> 'failed'
    and expires_at > now() + interval '5 minutes'
order by created_at desc limit 1;

-- name: latest_segment
-- The object that holds the frames of an export that were finished last.
select report ->> 'key' as key from work_items
where export_id = %(id)s and kind = 'chunk' and status = 'done'
order by ended_at desc, chunk_index desc limit 1;
