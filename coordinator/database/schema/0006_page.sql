-- The page: sessions of browsers, links that need no token, and what operators see of failures.

-- An index of all attempts takes its time where there are many.
set local statement_timeout = 0;

-- A session is a key that a browser holds in a cookie.
alter table api_keys
    add column is_session boolean not null default false,
    -- The key that somebody signed in with: revoked, it takes the session with it.
    add column opened_with text references api_keys on delete cascade;
create index api_keys_opened_with on api_keys (opened_with) where opened_with is not null;
create index api_keys_over on api_keys (expires_at) where is_session;

-- Addresses at which anybody finds a video for a while.
create table links (
    id text primary key,
    export_id text not null references export_jobs on delete cascade,
    -- SHA-256 of the token in the address.
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index links_by_export on links (export_id, created_at desc, id desc);
create index links_over on links (expires_at);

-- What a worker said at last, where an attempt went wrong: the end of it, for operators alone.
alter table attempts add column log text;
-- What happened in the last hour.
create index attempts_ended on attempts (ended_at) where ended_at is not null;

-- Until when a node gets nothing because what it does fails; null: it gets work.
alter table nodes add column set_aside_until timestamptz;

-- Exports as they are shown: without intake, plan and log, which are long.
create view exports_shown as
select id, user_id, name, status, stage, reason, progress, frames_done, frames, fps, eta_s, chunks,
    chunks_done, chunks_cached, error_message, file_size, duration_seconds, sha256, audio_lufs,
    audio_peak, renderings, composition_id, composition_revision, batch_id, reexport_of, priority,
    paused_at, start_s, end_s, warnings, config, download_url, poster_key, created_at, started_at,
    updated_at, completed_at, expires_at, expired_at
from export_jobs;
