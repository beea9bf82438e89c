-- The cluster: pools of nodes, and what nodes say of themselves.

-- An index of everything that waits takes its time where there is much.
set local statement_timeout = 0;

-- Pools that nodes serve, or have served: an export may ask for one of them.
create table pools (
    name text primary key check (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
    -- Slots of the nodes that serve it now.
    slots integer not null default 0 check (slots >= 0),
    -- When a node served it last.
    seen_at timestamptz not null default now()
);
insert into pools (name) values ('default');

alter table export_jobs add column pool text not null default 'default';
create or replace view exports_shown as
select id, user_id, name, status, stage, reason, progress, frames_done, frames, fps, eta_s, chunks,
    chunks_done, chunks_cached, error_message, file_size, duration_seconds, sha256, audio_lufs,
    audio_peak, renderings, composition_id, composition_revision, batch_id, reexport_of, priority,
    paused_at, start_s, end_s, warnings, config, download_url, poster_key, created_at, started_at,
    updated_at, completed_at, expires_at, expired_at, pool
from export_jobs;

alter table work_items
    -- Which nodes may do it; empty for any, as with probes and previews.
    add column pool text not null default '',
    -- The engine that its export was planned for (its MD5); null for what any may do.
    add column engine uuid;
update work_items set pool = 'default' where export_id is not null;
update work_items w set engine = md5(e.engine)::uuid from export_jobs e
where e.id = w.export_id and w.kind in ('chunk', 'survey');
drop index work_items_ready;
create index work_items_ready on work_items
    (pool, user_id, rank, priority desc, queued_at, export_id, position)
    where status = 'ready' and not held;

alter table nodes
    add column slots integer not null default 0,
    add column pools text[] not null default '{}',
    add column engine text,
    -- What draws, for people: a GPU, or a renderer on processors.
    add column renderer text,
    -- Why it gets no work; null where it may have some.
    add column kept_out text,
    -- It has asked itself for nothing more.
    add column is_leaving boolean not null default false;
