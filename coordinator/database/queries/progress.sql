-- name: record_progress
-- How far exports are; only ever forward.
update export_jobs e set
    frames_done = greatest(e.frames_done, least(p.frames, e.frames)),
    progress = greatest(e.progress, least(p.progress, 0.99)),
    fps = p.fps, eta_s = p.eta_s, updated_at = now()
from unnest(%(ids)s::text[], %(frames)s::int[], %(progress)s::float8[], %(fps)s::float8[],
    %(eta_s)s::float8[]) as p (id, frames, progress, fps, eta_s)
where e.id = p.id and e.status in ('rendering', 'uploading') and e.frames is not null
returning e.id;

-- name: tell_exports
-- Tell clients how far exports are.
select tell_export(id, true) from unnest(%(ids)s::text[]) as id;
